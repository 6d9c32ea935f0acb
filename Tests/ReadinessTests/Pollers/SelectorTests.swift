import Glibc
import Readiness
import SystemPackage
import Testing

@Suite struct SelectorTests {
    @Test func keepsWhatBelongsToEachDescriptor() throws {
        let (near, far) = try Socket.pair(blocking: false)
        var selector = try DefaultSelector<String>()
        let key = try selector.register(near.descriptor, .readable, data: "near")
        #expect(key.descriptor == near.descriptor && key.interest == .readable && key.data == "near")
        try selector.register(far.descriptor, [.readable, .writable], data: "far")
        #expect(selector.map.mapValues(\.data) == [near.descriptor: "near", far.descriptor: "far"])
        #expect(try selector.key(for: far.descriptor).interest == [.readable, .writable])
        try far.send("x")
        let ready = try selector.select()
        #expect(Set(ready.map(\.key.data)) == ["near", "far"])
        #expect(ready.first { $0.key.data == "near" }?.readiness == .readable)
        #expect(ready.first { $0.key.data == "far" }?.readiness == .writable)
    }

    @Test func modifyReplacesInterestAndData() throws {
        let (near, _far) = try Socket.pair(blocking: false)
        var selector = try DefaultSelector<Int>()
        try selector.register(near.descriptor, .readable, data: 1)
        #expect(try selector.select(timeout: .zero).isEmpty)
        try selector.modify(near.descriptor, .writable)
        #expect(try selector.select().map(\.key.data) == [1])
        try selector.modify(near.descriptor, .writable, data: 2)
        #expect(try selector.select().map(\.key.data) == [2])
        withExtendedLifetime(_far) {}
    }

    @Test func unregisterGivesTheDataBack() throws {
        let (near, far) = try Socket.pair(blocking: false)
        var selector = try DefaultSelector<[String]>()
        try selector.register(near.descriptor, .readable, data: ["a", "b"])
        try far.send("x")
        #expect(try selector.unregister(near.descriptor).data == ["a", "b"])
        #expect(selector.map.isEmpty)
        #expect(try selector.select(timeout: .zero).isEmpty)
    }

    @Test func namesWhatIsNotRegistered() throws {
        var selector = try DefaultSelector<Void>()
        let missing = SystemError(.noSuchFileOrDirectory, in: "selector", of: "descriptor 5")
        #expect(throws: missing) { try selector.key(for: 5) }
        #expect(throws: missing) { try selector.modify(5, .readable) }
        #expect(throws: missing) { try selector.unregister(5) }
    }

    @Test func aRefusedRegistrationChangesNothing() throws {
        let (near, _far) = try Socket.pair()
        var selector = try DefaultSelector<Int>()
        try selector.register(near.descriptor, .readable, data: 1)
        #expect(throws: SystemError.self) { try selector.register(near.descriptor, .readable, data: 2) }
        #expect(try selector.key(for: near.descriptor).data == 1)
        #expect(throws: SystemError.self) { try selector.register(-1, .readable, data: 3) }
        #expect(selector.map.count == 1)
        withExtendedLifetime(_far) {}
    }

    @Test func forgetsWhatWasClosedTooEarly() async {
        await #expect(processExitsWith: .success) {
            let (near, _) = try Socket.pair()
            let number = fcntl(near.descriptor, F_DUPFD, 500)
            var selector = try DefaultSelector<String>()
            try selector.register(number, .readable, data: "gone")
            close(number)
            #expect(try selector.unregister(number).data == "gone")
        }
    }

    @Test func takesAnyBackend() throws {
        let (near, far) = try Socket.pair(blocking: false)
        var polling = try Selector<Int, PollPoller>()
        var edges = Selector<Int, EpollPoller>(backend: try EpollPoller(trigger: .edge))
        try polling.register(near.descriptor, .readable, data: 1)
        try edges.register(near.descriptor, .readable, data: 2)
        try far.send("x")
        #expect(try polling.select().map(\.key.data) == [1])
        #expect(try edges.select().map(\.key.data) == [2])
        #expect(try edges.select(timeout: .zero).isEmpty)
    }

    /// Setting the same interest again looks anew, as it does without a selector.
    @Test func modifyLetsAnEdgeBeToldAgain() throws {
        let (near, far) = try Socket.pair(blocking: false)
        var edges = Selector<Int, EpollPoller>(backend: try EpollPoller(trigger: .edge))
        try edges.register(near.descriptor, .readable, data: 1)
        try far.send("x")
        #expect(try edges.select(timeout: .zero).count == 1)
        #expect(try edges.select(timeout: .zero).isEmpty)
        try edges.modify(near.descriptor, .readable)
        #expect(try edges.select(timeout: .zero).count == 1)
    }

    /// The data are functions that register, modify and unregister while they are called.
    @Test func callsFunctions() throws {
        struct Call { let run: (inout DefaultSelector<Call>) throws -> Void }
        let (near, far) = try Socket.pair(blocking: false)
        var selector = try DefaultSelector<Call>()
        var calls: [String] = []
        try selector.register(
            near.descriptor, .readable,
            data: Call { selector in
                calls.append("readable")
                try selector.modify(
                    near.descriptor, .writable,
                    data: Call { selector in
                        calls.append("writable")
                        try selector.unregister(near.descriptor)
                    })
            })
        try far.send("x")
        while !selector.map.isEmpty {
            for (key, _) in try selector.select() { try key.data.run(&selector) }
        }
        #expect(calls == ["readable", "writable"])
    }

    @Test func isWokenFromAnotherThread() async throws {
        try await onThread {
            var selector = try DefaultSelector<Void>()
            let waker = selector.waker
            try WorkerThread.start { waker.wake() }
            #expect(try selector.select().isEmpty)
        }
    }
}
