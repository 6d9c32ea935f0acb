import Readiness
import SystemPackage
import TestSupport
import Testing

/// What every poller does.
///
/// Each test has a process of its own: select needs descriptors below 1,024, which tests of other suites may hold.
@Suite(.inTurn) struct PollerTests {
    @Test(arguments: PollerKind.allCases) func tellsWhatIsReadable(_ kind: PollerKind) async {
        await #expect(processExitsWith: .success) { [kind] in
            let (near, far) = try Socket.pair(blocking: false)
            var poller = try kind.make()
            try poller.add(near.descriptor, .readable)
            #expect(try poller.look() == [])
            try far.send("x")
            #expect(try poller.wait() == [ReadyEvent(descriptor: near.descriptor, readiness: .readable)])
        }
    }

    @Test(arguments: PollerKind.allCases) func tellsWhatIsWritable(_ kind: PollerKind) async {
        await #expect(processExitsWith: .success) { [kind] in
            let (near, far) = try Socket.pair(blocking: false)
            var poller = try kind.make()
            try poller.add(near.descriptor, [.readable, .writable])
            #expect(try poller.wait() == [ReadyEvent(descriptor: near.descriptor, readiness: .writable)])
            try near.fill()
            try poller.modify(near.descriptor, .writable)
            #expect(try poller.look() == [])
            _ = try far.drain()
            #expect(try poller.wait() == [ReadyEvent(descriptor: near.descriptor, readiness: .writable)])
        }
    }

    @Test(arguments: PollerKind.allCases) func watchesForWhatItWasLastTold(_ kind: PollerKind) async {
        await #expect(processExitsWith: .success) { [kind] in
            let (near, far) = try Socket.pair(blocking: false)
            try far.send("x")
            var poller = try kind.make()
            try poller.add(near.descriptor, .readable)
            try poller.modify(near.descriptor, [])
            #expect(try poller.look() == [])
            try poller.modify(near.descriptor, .writable)
            #expect(try poller.look().map(\.readiness) == [.writable])
            try poller.modify(near.descriptor, .readable)
            #expect(try poller.look().map(\.readiness) == [.readable])
            try poller.remove(near.descriptor)
            #expect(try poller.look() == [])
        }
    }

    @Test(arguments: PollerKind.allCases) func watchesManyAndTellsAll(_ kind: PollerKind) async {
        await #expect(processExitsWith: .success) { [kind] in
            let pairs = try (0..<400).map { _ in try Socket.pair(blocking: false) }
            var poller = try kind.make()
            for (near, far) in pairs {
                try poller.add(near.descriptor, [.readable, .once])
                try far.send("x")
            }
            // Poll moves its last entry into the gap of a removed one.
            for (near, _) in pairs[0..<100] { try poller.remove(near.descriptor) }
            var seen: [CInt] = []
            while seen.count < 300 { seen += try poller.wait().map(\.descriptor) }
            #expect(Set(seen) == Set(pairs[100...].map { $0.0.descriptor }))
            #expect(try poller.look() == [])
        }
    }

    @Test(arguments: PollerKind.allCases) func onceIsOnce(_ kind: PollerKind) async {
        await #expect(processExitsWith: .success) { [kind] in
            let (near, far) = try Socket.pair(blocking: false)
            var poller = try kind.make()
            try poller.add(near.descriptor, [.readable, .once])
            try far.send("x")
            #expect(try poller.wait().count == 1)
            try far.send("y")
            try far.shutdown(.both)
            #expect(try poller.look() == [])
            try poller.modify(near.descriptor, [.readable, .once])
            #expect(try poller.wait().count == 1)
            #expect(try poller.look() == [])
            try poller.remove(near.descriptor)
        }
    }

    @Test(arguments: PollerKind.allCases) func levelRepeatsAndEdgeDoesNot(_ kind: PollerKind) async {
        await #expect(processExitsWith: .success) { [kind] in
            let (near, far) = try Socket.pair(blocking: false)
            var poller = try kind.make()
            try poller.add(near.descriptor, .readable)
            try far.send("two")
            #expect(try poller.wait().count == 1)
            #expect(try poller.look().count == (kind == .epollEdge ? 0 : 1))
            try far.send("more")
            #expect(try poller.look().count == 1)
            #expect(try near.drain() == 7)
            #expect(try poller.look() == [])
        }
    }

    @Test(arguments: PollerKind.allCases) func tellsBytesThatCameBeforeTheHangUp(_ kind: PollerKind) async {
        await #expect(processExitsWith: .success) { [kind] in
            var scratch = [UInt8](repeating: 0, count: 64)
            let near: Socket
            do {
                let far: Socket
                (near, far) = try Socket.pair(blocking: false)
                try far.send("last words")
            }
            var poller = try kind.make()
            try poller.add(near.descriptor, .readable)
            let readiness = try #require(try poller.wait().first).readiness
            #expect(readiness.contains(.readable))
            #expect(readiness.contains(.hungUp) == (kind != .select))
            #expect(try near.drain() == 10)
            #expect(try near.receive(into: &scratch) == .end)
        }
    }

    @Test(arguments: PollerKind.allCases) func tellsAReset(_ kind: PollerKind) async {
        await #expect(processExitsWith: .success) { [kind] in
            var scratch = [UInt8](repeating: 0, count: 64)
            let near = try resetSocket()
            try near.setBlocking(false)
            var poller = try kind.make()
            try poller.add(near.descriptor, [.readable, .writable])
            let readiness = try #require(try poller.wait().first).readiness
            #expect(readiness.isSuperset(of: [.readable, .writable]))
            #expect(readiness.contains(.failed) == (kind != .select))
            #expect(throws: SystemError(.connectionReset, in: "recv")) { try near.receive(into: &scratch) }
        }
    }

    @Test(arguments: PollerKind.allCases) func tellsUrgentData(_ kind: PollerKind) async {
        await #expect(processExitsWith: .success) { [kind] in
            let (near, far) = try tcpPair()
            var poller = try kind.make()
            try poller.add(near.descriptor, .priority)
            #expect(try poller.look() == [])
            #expect(try far.send([33], urgent: true) == .bytes(1))
            #expect(try poller.wait().map(\.readiness) == [.priority])
        }
    }

    @Test(arguments: PollerKind.allCases) func isWokenFromAnotherThread(_ kind: PollerKind) async {
        await #expect(processExitsWith: .success) { [kind] in
            try await onThread {
                var poller = try kind.make()
                let waker = poller.waker
                waker.wake()  // before the wait: kept
                waker.wake()
                #expect(try poller.wait() == [])
                try WorkerThread.start { waker.wake() }
                #expect(try poller.wait() == [])  // ends only because of the other thread
                #expect(try poller.look() == [])
            }
        }
    }

    @Test(arguments: PollerKind.allCases) func wakingIsHarmlessWhenThePollerIsGone(_ kind: PollerKind) async {
        await #expect(processExitsWith: .success) { [kind] in
            let waker = try kind.make().waker
            for _ in 0..<3 { waker.wake() }
        }
    }

    /// The waker's descriptor is not in the caller's hands: its number must not show up.
    @Test(arguments: PollerKind.allCases) func wakeUpsAndEventsComeTogether(_ kind: PollerKind) async {
        await #expect(processExitsWith: .success) { [kind] in
            let (near, far) = try Socket.pair(blocking: false)
            var poller = try kind.make()
            try poller.add(near.descriptor, .readable)
            try far.send("x")
            poller.waker.wake()
            #expect(try poller.wait().map(\.descriptor) == [near.descriptor])
        }
    }
}
