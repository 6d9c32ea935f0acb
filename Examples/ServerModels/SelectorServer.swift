public import Readiness

/// One thread and a ``Selector`` whose data are functions: whoever is ready is called, as in Python's `selectors`.
public struct SelectorServer: Server {
    let options: ServerOptions

    public init(_ options: ServerOptions = ServerOptions()) { self.options = options }

    public func run(on listener: Socket, until stop: Stop) throws(SystemError) {
        try listener.setBlocking(false)
        let service = Service(listener, options)
        var selector = try DefaultSelector<Callback>()
        try selector.register(listener.descriptor, .readable, data: Callback(service.accept))
        let waker = selector.waker
        let interruption = stop.onRequest { waker.wake() }
        defer { interruption.cancel() }
        while !stop.isRequested {
            let ready = try selector.select(timeout: service.isPaused ? AcceptPause.length : nil)
            try service.resume(&selector)
            for (key, _) in ready { try key.data.call(&selector) }
        }
    }
}

/// What to call when a descriptor is ready.
private struct Callback {
    let call: (inout DefaultSelector<Callback>) throws(SystemError) -> Void

    init(_ call: @escaping (inout DefaultSelector<Callback>) throws(SystemError) -> Void) { self.call = call }
}

private final class Service {
    private let listener: Socket
    private let options: ServerOptions
    private var buffer: [UInt8]
    private(set) var isPaused = false

    init(_ listener: Socket, _ options: ServerOptions) {
        self.listener = listener
        self.options = options
        buffer = [UInt8](repeating: 0, count: options.chunk)
    }

    func accept(_ selector: inout DefaultSelector<Callback>) throws(SystemError) {
        do {
            while case .connection(let socket) = try listener.accept(blocking: false) {
                let connection = Connection(socket)
                let callback = Callback { [self] selector throws(SystemError) in try serve(connection, &selector) }
                try selector.register(socket.descriptor, .readable, data: callback)
            }
        } catch {
            guard error.isShortage else { throw error }
            options.onProblem(error)
            try selector.modify(listener.descriptor, [])
            isPaused = true
        }
    }

    func resume(_ selector: inout DefaultSelector<Callback>) throws(SystemError) {
        guard isPaused else { return }
        isPaused = false
        try selector.modify(listener.descriptor, .readable)
    }

    private func serve(_ connection: Connection, _ selector: inout DefaultSelector<Callback>) throws(SystemError) {
        let descriptor = connection.socket.descriptor
        do {
            var interest = Interest.readable
            switch try connection.advance(&buffer, options.handler) {
            case .read, .more: break
            case .write: interest = .writable
            case .end:
                try selector.unregister(descriptor)
                return
            }
            if interest != connection.interest { try selector.modify(descriptor, interest) }
            connection.interest = interest
        } catch {
            options.onProblem(error)
            try selector.unregister(descriptor)
        }
    }
}
