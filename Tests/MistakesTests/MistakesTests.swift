import AsyncUV
import Foundation
import TestSupport
import Testing
import UV

/// The likeliest mistakes, and the words that each is answered with: what happened, where, and what to do.
/// docs/MISTAKES.md has them for the reader.
@Suite(.ownThread) struct MistakesTests {
    // MARK: Addresses and connections

    @Test func thePortIsInUse() throws {
        let advice = "another socket has that address: `ss -lntup` names its program, and port 0 takes one that is free"
        try withLoop { loop in
            let first = try TCPHandle(on: loop)
            try first.bind(to: .loopback(port: 0))
            try first.listen { _, _ in }
            let address = try first.localAddress
            try says("address already in use (EADDRINUSE) in bind of \(address): \(advice)") {
                let second = try TCPHandle(on: loop)
                defer { second.close() }
                try second.bind(to: address)
            }
            first.close()
        }
        try onLoop { _ in
            let listener = try await TCPListener.bind(host: "127.0.0.1", port: 0)
            let port = listener.localAddress.port
            try await says("address already in use (EADDRINUSE) in bind of 127.0.0.1:\(port): \(advice)") {
                _ = try await TCPListener.bind(host: "127.0.0.1", port: port)
            }
            await listener.close()
        }
    }

    @Test func anotherMachinesAddress() throws {
        let text =
            "address not available (EADDRNOTAVAIL) in bind of 192.0.2.1:0: no interface of this machine has that address: "
            + "bind 0.0.0.0 or ::, or one of NetworkInterface.addresses"
        try withLoop { loop in
            try says(text) {
                let handle = try TCPHandle(on: loop)
                defer { handle.close() }
                try handle.bind(to: SocketAddress(host: "192.0.2.1", port: 0))
            }
        }
        try onLoop { _ in try await says(text) { _ = try await TCPListener.bind(host: "192.0.2.1", port: 0) } }
    }

    @Test func nobodyListens() throws {
        let advice = "nobody listens there: is the server running, and are address and port its own?"
        // Bound and not listening: nobody else gets it meanwhile.
        try withLoop { loop in
            let free = try TCPHandle(on: loop)
            try free.bind(to: .loopback(port: 0))
            let address = try free.localAddress
            let client = try TCPHandle(on: loop)
            var error: UVError?
            try client.connect(to: address) { client, failure in
                error = failure
                client.close()
                free.close()
            }
            try loop.run()
            expect(error, "connection refused (ECONNREFUSED) in connect of \(address): \(advice)")
        }
        try onLoop { loop in
            let address = try await loop.withLoop { loop in
                let free = try TCPHandle(on: loop)
                try free.bind(to: .loopback(port: 0))
                return try free.localAddress
            }
            try await says("connection refused (ECONNREFUSED) in connect of \(address): \(advice)") {
                _ = try await TCPConnection.connect(to: address)
            }
            try await loop.withLoop { loop in for handle in loop.handles { handle.close() } }
        }
    }

    @Test func aNameThatNobodyKnows() throws {
        let error = try onLoop { _ in
            await caught { _ = try await TCPConnection.connect(host: "no-such-host.invalid", port: 80) }
        }
        // Without a name server the look-up fails otherwise.
        let unknown = "no name server knows the name: check its spelling, /etc/hosts and /etc/resolv.conf"
        let failed = "no name server answers: check the network and /etc/resolv.conf, and try again"
        let text = error.map { String(reflecting: $0) } ?? ""
        #expect(
            text.hasSuffix("in look-up of no-such-host.invalid: \(text.contains("EAI_AGAIN") ? failed : unknown)"),
            "\(text)")
    }

    @Test func aPrivilegedPort() {
        // The tests may run as root, who may bind any port.
        let error = UVError(.permissionDenied, in: "bind", of: "0.0.0.0:80")
        expect(
            error,
            "permission denied (EACCES) in bind of 0.0.0.0:80: ports below 1024 need root or "
                + "`setcap cap_net_bind_service=+ep PROGRAM`: take a higher one")
    }

    @Test func noDescriptorsLeft() {
        expect(
            UVError(.tooManyOpenFiles, in: "accept"),
            "too many open files (EMFILE) in accept: the process has all the descriptors that it may: close what is not needed any "
                + "more, or raise `ulimit -n`")
    }

    @Test func aWriteAfterTheClose() throws {
        let advice = "it was closed before: let one place close it, after the last use"
        try withLoop { loop in
            let (near, far) = try TCPHandle.pair(on: loop)
            near.close()
            far.close()
            try says("bad file descriptor (EBADF) in write of a closed TCPHandle: \(advice)") {
                _ = try near.write([1])
            }
        }
        try onLoop { _ in
            let (near, far) = try await connectedPair()
            await near.close()
            try await says(
                "bad file descriptor (EBADF) in write of a closed connection with \(near.remoteAddress): \(advice)"
            ) { try await near.write("late") }
            await far.close()
        }
    }

    @Test func twoReaders() throws {
        let advice = "one reader at a time: let one task read and hand on what comes, by a Channel for example"
        try withLoop { loop in
            let (near, far) = try TCPHandle.pair(on: loop)
            try near.startReading(onBytes: { _, _ in }, onEnd: { _, _ in })
            try says("connection already in progress (EALREADY) in read of a stream that is being read: \(advice)") {
                _ = try near.read { _, _ in }
            }
            near.close()
            far.close()
        }
        try onLoop { loop in
            let (near, far) = try await connectedPair()
            let first = loop.spawn { try await near.read() }
            try await loop.waitUntilIdle()
            let error = await caught { _ = try await near.read() }
            #expect(
                error.map { String(reflecting: $0) }
                    == "connection already in progress (EALREADY) in read of a connection with \(near.remoteAddress), "
                    + "which another task reads: \(advice)")
            await far.close()
            _ = try await first.value
            await near.close()
        }
    }

    // MARK: Loops

    @Test func aLoopIsClosedBeforeItsHandles() throws {
        try withLoop { loop in
            let timer = try TimerHandle(on: loop)
            let error = caught { try loop.close() }
            let text = error.map { String(reflecting: $0) } ?? ""
            #expect(
                text.hasPrefix(
                    "resource busy or locked (EBUSY) in close of a loop with 1 open handle: timer, not active (made at "
                ))
            #expect(
                text.hasSuffix(
                    " ago): close them and run the loop once more, or call closeAllHandles() and run() before"))
            timer.close()
        }
    }

    @Test func aClosedLoopIsRun() throws {
        let loop = try Loop()
        try loop.close()
        let advice = "make a new Loop: a closed one cannot be used again"
        try says("bad file descriptor (EBADF) in run of a closed loop: \(advice)") { try loop.run() }
    }

    @Test func anEventLoopsLoopIsClosed() throws {
        try onLoop { loop in
            try await says(
                "operation not permitted (EPERM) in close of a loop that belongs to an EventLoop: "
                    + "an EventLoop ends by its `shutdown`, or with the body of `run`"
            ) { try await loop.withLoop { loop in try loop.close() } }
        }
    }

    @Test func aLoopThatHasEndedIsUsed() async throws {
        let loop = try EventLoop()
        await loop.shutdown()
        let text = await caught { try await loop.sleep(for: .milliseconds(1)) }.map { String(reflecting: $0) } ?? ""
        #expect(text.hasPrefix("operation canceled (ECANCELED) in "))
        #expect(
            text.hasSuffix("of a loop that has shut down: the loop has ended: await what uses it before it ends"),
            "\(text)")
    }

    @Test func aTaskAwaitsItsOwnLoopsEnd() async throws {
        // No mistake: the task goes on elsewhere.
        let loop = try EventLoop()
        try await loop.spawn {
            await loop.shutdown()
            #expect(!loop.isCurrent)
        }.value
    }

    @Test func runWithinALoop() async throws {
        let result = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
            try await EventLoop().withLoop { _ in try EventLoop.run { _ in } }
        }
        let text = String(decoding: try #require(result).standardErrorContent, as: UTF8.self)
        #expect(
            text.contains(
                "EventLoop.run called inside a loop: a loop cannot wait for another. Await the code itself, start it with "
                    + "loop.spawn, or make an EventLoop() for it."))
    }

    @Test func runWithinRun() async throws {
        let result = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
            try synchronously {
                let loop = try Loop()
                _ = try loop.schedule(after: .zero) { _ = try? loop.run() }
                try loop.run()
            }
        }
        let text = String(decoding: try #require(result).standardErrorContent, as: UTF8.self)
        #expect(
            text.contains(
                "Loop.run called inside Loop.run: a closure cannot run the loop that runs it. Return from the closure: the loop goes "
                    + "on by itself."))
    }

    @Test func theWrongThread() async throws {
        let result = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
            try synchronously {
                let made = try TimerHandle(on: Loop())
                made.label = "heartbeat"
                nonisolated(unsafe) let timer = made
                try PlainThread { unsafe timer.stop() }.value()
            }
        }
        let text = String(decoding: try #require(result).standardErrorContent, as: UTF8.self)
        #expect(text.contains("TimerHandle \"heartbeat\" made at MistakesTests/MistakesTests.swift:"))
        #expect(
            text.contains(
                " used off its loop's thread. Get there by the loop's WakeupHandle, whose waker any thread may have, or, if the loop is "
                    + "an EventLoop, by its withLoop."))
    }

    @Test func aConnectionIsUsedOnAnotherLoop() async throws {
        // No mistake in the async layer: the call goes to the connection's loop and comes back.
        let (home, other) = (try EventLoop(), try EventLoop())
        let (near, far) = try await connectedPair(on: home)
        try await other.spawn {
            try await near.write("from afar")
            #expect(other.isCurrent)
            await near.close()
        }.value
        #expect(try await far.readToEnd().count == 9)
        await far.close()
        await home.shutdown()
        await other.shutdown()
    }

    // MARK: Time

    @Test func negativeTimes() throws {
        let advice = "a delay is not negative and an interval longer than zero"
        try withLoop { loop in
            let timer = try TimerHandle(on: loop)
            try says("invalid argument (EINVAL) in start of a timer with -0.001 seconds: \(advice)") {
                try timer.start(after: .milliseconds(-1)) { _ in }
            }
            try says("invalid argument (EINVAL) in start of a timer with an interval of zero: \(advice)") {
                try timer.start(after: .zero, every: .zero) { _ in }
            }
            timer.close()
        }
        try onLoop { loop in
            // A deadline that has passed is one: the sleep is over, the timeout has come.
            try await loop.sleep(for: .seconds(-1))
            let error = await caught { try await withTimeout(.zero) { try await loop.sleep(for: .seconds(100)) } }
            #expect((error as? UVError)?.code == .timedOut)
        }
    }

    // MARK: Files

    @Test func aFileIsMissing() throws {
        let absolute =
            "no such file or directory (ENOENT) in readFile of /no/such/file: it is not there: check the path"
        let relative =
            "no such file or directory (ENOENT) in readFile of no-such-file: it is not there, seen from the working directory: "
            + "check the path, or use an absolute one"
        for (path, text) in [("/no/such/file", absolute), ("no-such-file", relative)] {
            try withLoop { loop in
                try FileRequest.start(.readFile(FilePath(path)), on: loop) { _, result in
                    if case .failure(let error) = result { expect(error, text) } else { Issue.record("it is there") }
                }
            }
            try onLoop { _ in try await says(text) { _ = try await FileSystem.readFile(FilePath(path)) } }
        }
    }

    @Test func aFileOfSomebodyElse() {
        expect(
            UVError(.permissionDenied, in: "open", of: "/etc/shadow"),
            "permission denied (EACCES) in open of /etc/shadow: the user of this process may not: `namei -l PATH` shows the owners "
                + "and permissions on the way there")
    }

    @Test func aDirectoryForAFile() throws {
        try onLoop { _ in
            try await says(
                "illegal operation on a directory (EISDIR) in readFile of /: it is a directory: name a file in it, or list its entries"
            ) { _ = try await FileSystem.readFile("/") }
            try await says(
                "not a directory (ENOTDIR) in readFile of /etc/passwd/x: a part of the path that should be a directory is a file"
            ) { _ = try await FileSystem.readFile("/etc/passwd/x") }
        }
    }

    @Test func aProgramThatIsNotInstalled() throws {
        let text =
            "no such file or directory (ENOENT) in spawn of no-such-program: no directory of PATH has such a program, "
            + "nor is it a directory here: install it, or give its path"
        try onLoop { _ in try await says(text) { _ = try await ChildProcess.run("no-such-program") } }
        try withLoop { loop in try says(text) { _ = try ProcessHandle(on: loop, "no-such-program") { _, _ in } } }
    }

    @Test func aPathWithANul() throws {
        let error = caught { _ = try FilePath(validating: "upload\0.txt") }
        #expect(error.map { "\($0)" }?.contains("EINVAL") == true, "\(String(describing: error))")
    }

    // MARK: Where the words are shown

    @Test func theDescriptionIsShortAndTheDebugDescriptionSaysWhatToDo() {
        let error = UVError(.addressInUse, in: "bind", of: "127.0.0.1:80")
        #expect("\(error)" == "address already in use (EADDRINUSE) in bind of 127.0.0.1:80")
        #expect(String(reflecting: error) == "\(error): \(error.advice ?? "")")
        let silent = UVError(.endOfFile, in: "read")
        #expect(silent.advice == nil && String(reflecting: silent) == "\(silent)")
    }
}
