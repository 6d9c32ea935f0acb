import Readiness

/// A way to receive all messages of the sender.
protocol IOModel: Sendable {
    var name: String { get }

    /// What happens, in two short lines.
    var summary: [String] { get }

    /// Receives all messages and records it. Returns the track of its helping thread, if it has one.
    func receiveAll(_ reader: inout Reader) throws -> Track?
}

/// What a model works with.
struct Reader {
    let socket: Socket
    let setting: FigureSetting
    let work: Work
    var track = Track(origin: 0)
    var buffer: [UInt8]

    init(_ socket: Socket, _ setting: FigureSetting, _ work: Work) throws {
        self.socket = socket
        self.setting = setting
        self.work = work
        buffer = [UInt8](repeating: 1, count: setting.messageSize)
    }

    mutating func begin(at origin: Int64) { track = Track(origin: origin) }

    /// One call to receive. Returns whether a message has come.
    mutating func receive(mayBlock: Bool, inVain: Phase = .asking) throws -> Bool {
        try track.receive(from: socket, into: &buffer, mayBlock: mayBlock, inVain: inVain) != .wouldBlock
    }

    mutating func doWork() { track.work(work) }
}
