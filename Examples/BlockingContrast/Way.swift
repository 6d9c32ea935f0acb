import AsyncUV
import Foundation
import Readiness
import UV

/// A way to do disk work in a program that has a timer to attend to.
public enum Way: String, CaseIterable, Sendable {
    case blocking = "blocking calls on the loop"
    case select = "readiness: select, then a call"
    case poll = "readiness: poll, then a call"
    case pool = "libuv's thread pool"

    /// The time before and after the work, when there is nothing but the timer.
    private static let margin = Duration.milliseconds(50)

    /// Does the work and tells how late the ticks were.
    public func measure(_ work: DiskWork) throws -> TickLog {
        try work.makeCold()
        return switch self {
        case .blocking: try onTheLoop(work)
        case .select: try whenReady(work, SelectPoller.self)
        case .poll: try whenReady(work, PollPoller.self)
        case .pool: try inThePool(work)
        }
    }

    /// A callback does it all, as one would write it at first.
    private func onTheLoop(_ work: DiskWork) throws -> TickLog {
        let file = try work.handle()
        defer { try? file.close() }
        let loop = try Loop()
        var log = TickLog()
        var failure: (any Error)?
        let ticks = try TimerHandle(on: loop)
        try ticks.start(after: TickLog.interval, every: TickLog.interval) { _ in log.attend() }
        let timer = try TimerHandle(on: loop)
        try timer.start(after: Self.margin) { timer in
            do {
                for step in 0..<work.steps { try work.doBlocking(step, on: file) }
                try timer.start(after: Self.margin) { _ in try? loop.closeAllHandles() }
            } catch {
                failure = error
                try? loop.closeAllHandles()
            }
        }
        try loop.run()
        try loop.close()
        if let failure { throw failure }
        return log
    }

    /// Asks whether the file is ready, which it always is, and does a step each time.
    private func whenReady<Asked: Poller & ~Copyable>(_ work: DiskWork, _ kind: Asked.Type) throws -> TickLog {
        let file = try work.handle()
        defer { try? file.close() }
        var poller = try Asked()
        var log = TickLog()
        var step = 0
        var end: Duration?
        while end.map({ log.elapsed < $0 }) ?? true {
            if log.elapsed >= Self.margin, step == 0 { try poller.add(file.fileDescriptor, work.interest) }
            let events = try poller.wait(upTo: max(.zero, log.nextDue - log.elapsed))
            if !events.isEmpty {
                try work.doBlocking(step, on: file)
                step += 1
                if step == work.steps {
                    try poller.remove(file.fileDescriptor)
                    end = log.elapsed + Self.margin
                }
            }
            log.attend()
        }
        return log
    }

    /// What epoll says to a file: the reason why there is no row for it.
    public static func epollsAnswer(to work: DiskWork) throws -> String {
        let file = try work.handle()
        defer { try? file.close() }
        var poller = try EpollPoller(trigger: .level)
        do {
            try poller.add(file.fileDescriptor, work.interest)
            return "ready"
        } catch { return "\(error)" }
    }

    /// The file layer of this package.
    private func inThePool(_ work: DiskWork) throws -> TickLog {
        try EventLoop.run { loop in
            let ticking = loop.spawn {
                var log = TickLog()
                do {
                    for try await _ in loop.ticks(every: TickLog.interval) { log.attend() }
                } catch is CancellationError { log.attend() }
                return log
            }
            try await loop.sleep(for: Self.margin)
            try await File.withFile(FilePath(work.path), .readWrite) { file in
                switch work.kind {
                case .coldRead: for try await _ in file.chunks(ofCount: work.block.count) {}
                case .fsyncStorm:
                    for step in 0..<work.steps {
                        for block in 0..<work.blocksPerStep {
                            try await file.write(work.block, at: Int64(step * work.stepSize + block * work.block.count))
                        }
                        try await file.sync()
                    }
                }
            }
            try await loop.sleep(for: Self.margin)
            ticking.cancel()
            return try await ticking.value
        }
    }
}

extension DiskWork {
    fileprivate var interest: Interest { kind == .coldRead ? .readable : .writable }
}
