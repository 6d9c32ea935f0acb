import Foundation
import Glibc
import Readiness
import SystemPackage
import TestSupport
import Testing

/// What pollers answer to descriptors that they cannot watch: the table at ``Poller``.
@Suite(.inTurn) struct BadDescriptorTests {
    @Test("R2: a negative or closed descriptor", arguments: PollerKind.allCases)
    func negativeOrClosed(_ kind: PollerKind) async {
        await #expect(processExitsWith: .success) { [kind] in
            var poller = try kind.make()
            for descriptor in [-1, CInt.min, 19_999] {
                let error = #expect(throws: SystemError.self) { try poller.add(descriptor, .readable) }
                #expect(error?.code == .badFileDescriptor)
                #expect(error?.subject == "descriptor \(descriptor)")
            }
        }
    }

    @Test("R2: the same descriptor twice", arguments: PollerKind.allCases)
    func twice(_ kind: PollerKind) async {
        await #expect(processExitsWith: .success) { [kind] in
            let (near, far) = try Socket.pair(blocking: false)
            var poller = try kind.make()
            try poller.add(near.descriptor, .readable)
            let error = #expect(throws: SystemError.self) { try poller.add(near.descriptor, .writable) }
            #expect(error?.code == .fileExists)
            #expect(try poller.look() == [])  // the first interest still holds
            try far.send("x")
            #expect(try poller.look().map(\.readiness) == [.readable])
        }
    }

    @Test("R2: a descriptor that was never added", arguments: PollerKind.allCases)
    func neverAdded(_ kind: PollerKind) async {
        await #expect(processExitsWith: .success) { [kind] in
            let (near, _) = try Socket.pair()
            var poller = try kind.make()
            #expect(throws: SystemError.self) { try poller.modify(near.descriptor, .readable) }
            let error = #expect(throws: SystemError.self) { try poller.remove(near.descriptor) }
            #expect(error?.code == .noSuchFileOrDirectory)
        }
    }

    @Test("R2: regular files and directories", arguments: PollerKind.allCases)
    func regularFilesAndDirectories(_ kind: PollerKind) async {
        await #expect(processExitsWith: .success) { [kind] in
            for path in ["/proc/self/exe", "/usr"] {
                let file = try FileDescriptor.open(FilePath(path), .readOnly)
                defer { try? file.close() }
                var poller = try kind.make()
                if kind.isEpoll {
                    let error = #expect(throws: SystemError.self) { try poller.add(file.rawValue, .readable) }
                    #expect(error?.code == .notPermitted)
                } else {
                    try poller.add(file.rawValue, .readable)
                    #expect(try poller.look().map(\.readiness) == [.readable])  // always, and yet a read may block
                }
            }
        }
    }

    /// Numbers are used again at once by other tests, so this one has a process of its own.
    @Test("R2: closed while watched", arguments: PollerKind.allCases)
    func closedWhileWatched(_ kind: PollerKind) async {
        await #expect(processExitsWith: .success) { [kind] in
            let number = try highNumber()
            var poller = try kind.make()
            try poller.add(number, .readable)
            close(number)
            let events = try poller.look()
            if kind.isEpoll {
                #expect(events == [])
                let error = #expect(throws: SystemError.self) { try poller.remove(number) }
                #expect(error?.code == .badFileDescriptor)
            } else {
                #expect(events == [ReadyEvent(descriptor: number, readiness: .invalid)])
                try poller.remove(number)
                #expect(try poller.look() == [])
            }
        }
    }

    /// Select fails as a whole for one closed descriptor; what else is ready is told all the same.
    @Test("R2: closed while watched, beside others", arguments: [PollerKind.select, .poll])
    func closedBesideOthers(_ kind: PollerKind) async {
        await #expect(processExitsWith: .success) { [kind] in
            let number = try highNumber()
            let (near, far) = try Socket.pair(blocking: false)
            var poller = try kind.make()
            try poller.add(number, .readable)
            try poller.add(near.descriptor, .readable)
            close(number)
            try far.send("x")
            let ready = ReadyEvent(descriptor: near.descriptor, readiness: .readable)
            #expect(try Set(poller.look()) == [ready, ReadyEvent(descriptor: number, readiness: .invalid)])
            try poller.remove(number)
            #expect(fcntl(far.descriptor, F_DUPFD, number) == number)
            try poller.add(number, [.readable, .once])
            close(number)
            #expect(try Set(poller.look()) == [ready, ReadyEvent(descriptor: number, readiness: .invalid)])
            #expect(try poller.look() == [ready])  // once is once
        }
    }

    /// A number that is closed while it is watched, and then used again: the table at ``Poller``.
    @Test("R2: a number that is used again while watched", arguments: PollerKind.allCases)
    func usedAgainWhileWatched(_ kind: PollerKind) async {
        await #expect(processExitsWith: .success) { [kind] in
            let number = try highNumber()
            var poller = try kind.make()
            try poller.add(number, .readable)
            close(number)
            let (near, far) = try Socket.pair(blocking: false)
            #expect(fcntl(near.descriptor, F_DUPFD, number) == number)
            try far.send("x")
            let event = ReadyEvent(descriptor: number, readiness: .readable)
            #expect(try poller.look() == (kind.isEpoll ? [] : [event]))
            if kind.isEpoll {
                try poller.add(number, .readable)
                #expect(try poller.look() == [event])
            }
            try poller.remove(number)
            #expect(try poller.look() == [])
        }
    }

    @Test("R2: epoll reports a closed number while a copy lives")
    func epollReportsAClosedNumberWhileACopyLives() async {
        await #expect(processExitsWith: .success) {
            let (near, far) = try Socket.pair(blocking: false)
            let copy = fcntl(near.descriptor, F_DUPFD, 500)
            var poller = try EpollPoller()
            try poller.add(copy, .readable)
            close(copy)
            try far.send("x")
            #expect(try poller.look().map(\.descriptor) == [copy])  // closed, and there it is
            #expect(throws: SystemError.self) { try poller.remove(copy) }  // and cannot be taken out
            withExtendedLifetime(near) {}
        }
    }

    /// 1,500 open descriptors: select refuses before it touches its set; the others do not mind.
    @Test("R1: numbers beyond select's limit", arguments: PollerKind.allCases)
    func beyondSelectsLimit(_ kind: PollerKind) async {
        await #expect(processExitsWith: .success) { [kind] in
            var poller = try kind.make()
            let (near, far) = try Socket.pair(blocking: false)
            try far.send("x")
            let copies = (0..<1500).map { _ in Socket(adopting: dup(near.descriptor)) }
            for copy in copies {
                if kind == .select && copy.descriptor >= SelectPoller.limit {
                    let error = #expect(throws: SystemError.self) { try poller.add(copy.descriptor, .readable) }
                    #expect(error?.code == .invalidArgument)
                    #expect(error?.operation == "FD_SET")
                } else {
                    try poller.add(copy.descriptor, .readable)
                }
            }
            var seen: Set<CInt> = []
            for _ in 0..<8 { seen.formUnion(try poller.look().map(\.descriptor)) }
            let possible = copies.map(\.descriptor).filter { kind != .select || $0 < SelectPoller.limit }
            if kind == .epollEdge || kind == .epollLevel {
                #expect(seen.isSubset(of: possible) && seen.count >= 256)
            } else {
                #expect(seen == Set(possible))
            }
            #expect(copies.last!.descriptor >= 1500)
        }
    }

    @Test(arguments: PollerKind.allCases) func leavesNoDescriptorOpen(_ kind: PollerKind) async {
        await #expect(processExitsWith: .success) { [kind] in
            try await expectNoLeak {
                let (near, _) = try Socket.pair()
                var poller = try kind.make()
                let waker = poller.waker
                try poller.add(near.descriptor, .readable)
                _ = try poller.look()
                _ = consume poller
                waker.wake()
            }
        }
    }
}

/// A descriptor whose number nothing else in the process takes when it is closed.
private func highNumber() throws -> CInt {
    let (near, _) = try Socket.pair(blocking: false)
    return fcntl(near.descriptor, F_DUPFD, 500)
}
