internal import DequeModule
internal import UV

/// The part of a ``ChildProcess`` that lives on its loop's thread.
final class ChildCore {
    private var handle: ProcessHandle?
    private(set) var status: ExitStatus?
    private var waiting: [Wait<ExitStatus>] = []

    /// Starts a child.
    ///
    /// - Returns: The child and our ends of its pipes.
    static func start(
        _ program: String, _ arguments: [String], _ options: ProcessOptions, _ streams: [ChildStream],
        keepsNumber: Bool, on loop: EventLoop, _ callbackLoop: Loop
    ) throws(UVError) -> (core: ChildCore, handle: ProcessHandle) {
        let core = ChildCore()
        let handle = try ProcessHandle(
            on: callbackLoop, program, arguments, options: options, input: try streams[0].standard(on: loop),
            output: try streams[1].standard(on: loop), error: try streams[2].standard(on: loop)
        ) { _, status in core.ended(status) }
        handle.label = program
        handle.keepsNumber = keepsNumber
        core.handle = handle
        return (core, handle)
    }

    private func ended(_ status: ExitStatus) {
        self.status = status
        if handle?.keepsNumber != true { letGo() }
        let waiting = waiting
        self.waiting = []
        for wait in waiting { wait.finish(.success(status)) }
    }

    /// Lets the system have the number of a child that has ended.
    func letGo() { handle.take()?.close() }

    func wait(_ wait: Wait<ExitStatus>) {
        if let status { return _ = wait.finish(.success(status)) }
        waiting.append(wait)
        wait.onCancel = { [unowned self, unowned wait] in waiting.removeAll { $0 === wait } }
    }

    /// The handle of a child that runs.
    func running(_ id: Int32) throws(UVError) -> ProcessHandle {
        guard let handle, status == nil else { throw UVError(.noSuchProcess, in: "kill", of: "process \(id)") }
        return handle
    }

    /// Sends a signal to the child and, if it has one, its whole group. From then on nobody of the group outlives the child.
    func end(_ signal: Signal, group: Bool) {
        guard let handle else { return }
        if status != nil {
            // Whom it has left behind.
            if group { try? Signal.kill.send(toGroup: handle.id) }
            return
        }
        handle.killsGroupAtEnd = true
        // One that has just ended needs no signal.
        if group { try? handle.killGroup(signal) } else { try? handle.kill(signal) }
    }
}

extension ChildStream {
    fileprivate func standard(on loop: EventLoop) throws(UVError) -> StandardStream {
        switch self {
        case .null: .null
        case .inherit: .inherit
        case .pipe: .pipe
        case .file(let file): .file(file.descriptor)
        case .descriptor(let descriptor): .file(descriptor)
        case .connection(let connection):
            if connection.loop === loop {
                .stream(connection.stream.core.open(on: loop).handle)
            } else {
                throw UVError(.invalidArgument, in: "spawn", of: "\(connection), which lives on another loop")
            }
        }
    }
}
