/// Ends one read of a task that does not own the connection's scope.
final class ReadCancellation: WaitLink {
    private let core: StreamCore
    private let read: UInt32

    init(_ core: StreamCore, _ read: UInt32) {
        self.core = core
        self.read = read
        super.init("read")
    }

    override var partner: String? { core.handle.peerName.map { "from \($0)" } }

    override func give(up error: any Error) { core.cancelRead(read) }
}
