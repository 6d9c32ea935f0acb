internal import Synchronization
internal import UVPlatform

/// Whether handles, waits and tasks remember who made them: see ``Diagnostics/isTracing``.
package enum Tracing {
    private static let flag = Atomic<Bool>(false)

    package static var isOn: Bool {
        @inline(__always) get { flag.load(ordering: .relaxed) }
        set { flag.store(newValue, ordering: .relaxed) }
    }

    /// Looks at the environment, once.
    static func begin() {
        if Environment.has("SWIFT_UV_TRACE") { isOn = true }
    }
}

extension Diagnostics {
    /// Whether everything that is made from now on remembers where: the functions that led there and the task's name. It is for
    /// ``Loop/explainAlive()``. On from the start if the environment has `SWIFT_UV_TRACE=1`.
    ///
    /// While it is off it costs a load for each handle. On, it costs some microseconds for each handle and each task of `spawn`.
    public static var isTracing: Bool {
        get { Tracing.isOn }
        set { Tracing.isOn = newValue }
    }
}

/// What the environment says to the diagnosis.
enum Environment {
    /// Whether a variable is set, and not to nothing or 0.
    static func has(_ name: String) -> Bool {
        guard let value = value(of: name) else { return false }
        return !["", "0"].contains(value)
    }

    static func value(of name: String) -> String? { unsafe getenv(name).map { unsafe String(cString: $0) } }
}

/// Who made something, remembered while tracing is on.
package struct Origin: Sendable {
    package let trail: Trail
    package let task: String?

    package static func here() -> Self {
        let (trail, task) = Trail.capture()
        return Self(trail: trail, task: task)
    }
}

/// The origins of the things of one loop. Things do not leave when they end; what is gone is dropped when there is much of it.
struct Origins {
    private var all: [ObjectIdentifier: Origin] = [:]
    private var most = 256

    subscript(_ thing: AnyObject) -> Origin? { all[ObjectIdentifier(thing)] }

    /// - Parameter living: Everything that is still there.
    mutating func note(_ thing: AnyObject, living: () -> Set<ObjectIdentifier>) {
        all[ObjectIdentifier(thing)] = .here()
        guard all.count > most else { return }
        let living = living()
        all = all.filter { living.contains($0.key) || $0.key == ObjectIdentifier(thing) }
        most = max(256, 2 * all.count)
    }
}

extension Diagnostics {
    /// Whether somebody gets what ``report(_:_:)`` says.
    package static var isListening: Bool { isHeard.load(ordering: .acquiring) }

    private static let patience = Mutex(Duration.seconds(1))

    /// How long the shutdown of an `EventLoop` may take before a report says what it waits for. One second unless it is set.
    ///
    /// The report goes to ``setHandler(_:)`` only.
    public static var slowShutdown: Duration {
        get { patience.withLock { $0 } }
        set { patience.withLock { $0 = max(newValue, .milliseconds(1)) } }
    }
}
