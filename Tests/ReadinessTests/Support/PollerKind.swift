import Readiness
import Testing

/// All pollers, so that one suite runs over each.
enum PollerKind: String, CaseIterable, Codable, CustomTestStringConvertible {
    case select, poll, epollLevel, epollEdge

    func make() throws -> any Poller & ~Copyable {
        switch self {
        case .select: try SelectPoller()
        case .poll: try PollPoller()
        case .epollLevel: try EpollPoller(trigger: .level)
        case .epollEdge: try EpollPoller(trigger: .edge)
        }
    }

    var isEpoll: Bool { self == .epollLevel || self == .epollEdge }
    var testDescription: String { rawValue }
}

extension Poller where Self: ~Copyable {
    /// What is ready now: the descriptor, and for what.
    mutating func look() throws -> [ReadyEvent] { try wait(upTo: .zero) }
}
