/// What runs after each callback of a loop.
///
/// It is called without a retain, so a closure that is replaced during its own call must live on: all are kept until the loop is
/// closed.
@safe
struct CallbackHook {
    private final class Closure {
        let call: () -> Void
        init(_ call: @escaping () -> Void) { self.call = call }
    }

    private var current: Unmanaged<Closure>?
    private var all: [Closure] = []

    var call: (() -> Void)? {
        get { unsafe current?.takeUnretainedValue().call }
        set {
            let new = newValue.map(Closure.init)
            if let new { all.append(new) }
            unsafe current = new.map { unsafe Unmanaged.passUnretained($0) }
        }
    }

    @inline(__always)
    func callbackEnded() {
        if let current = unsafe current { unsafe current._withUnsafeGuaranteedRef { $0.call() } }
    }

    mutating func end() {
        unsafe current = nil
        all = []
    }
}
