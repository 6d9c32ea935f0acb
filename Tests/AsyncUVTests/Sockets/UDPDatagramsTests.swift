import AsyncUV
import Foundation
import TestSupport
import Testing

/// `UDPSocket.datagrams`: a queue with an end.
@Suite(.ownThread) struct UDPDatagramsTests {
    @Test(
        "A full queue drops the newest or the oldest, and counts",
        arguments: [(DatagramOverflow.dropNewest, UInt8(0)), (.dropOldest, 15)])
    func overflow(_ overflow: DatagramOverflow, first: UInt8) throws {
        try onLoop { loop in
            let (near, far) = (try await UDPSocket.onLoopback(), try await UDPSocket.onLoopback())
            let datagrams = try await far.datagrams(queue: 5, overflow: overflow)
            for number: UInt8 in 0..<20 { try await near.send([number], to: far.localAddress) }
            while try await datagrams.dropCount < 15 { try await loop.sleep(for: .milliseconds(1)) }
            for number in first..<first + 5 {
                #expect(try await datagrams.next()?.get() == Datagram([number], .init(from: near.localAddress)))
            }
            #expect(try await datagrams.dropCount == 15)
            try await near.send([99], to: far.localAddress)
            #expect(try await datagrams.next()?.get().bytes == [99])
        }
    }

    @Test("An error is an element, not the end") func errors() throws {
        #if os(Linux)
        try onLoop { loop in
            let (near, far) = (try await UDPSocket.onLoopback(), try await UDPSocket.onLoopback())
            let gone = try await UDPSocket.onLoopback()
            await gone.close()
            try await loop.waitUntilIdle()
            let reading = loop.spawn {
                var elements: [String] = []
                for try await element in try await far.datagrams() {
                    switch element {
                    case .success(let datagram): elements.append("\(datagram.bytes)")
                    case .failure(let error): elements.append(error.code.name)
                    }
                    if elements.count == 3 { break }
                }
                return elements
            }
            try await loop.waitUntilIdle(waits: 1)
            try await near.send([1], to: far.localAddress)
            try await loop.waitUntilIdle(waits: 1)
            try await far.send([9], to: gone.localAddress)
            try await loop.waitUntilIdle(waits: 1)
            try await near.send([2], to: far.localAddress)
            #expect(try await reading.value == ["[1]", "ECONNREFUSED", "[2]"])
        }
        #endif
    }

    @Test func oneSequenceAtATime() throws {
        try onLoop { loop in
            let socket = try await UDPSocket.onLoopback()
            let waiting = loop.spawn { try await socket.receive() }
            try await loop.waitUntilIdle(waits: 1)
            try await socket.send([0, 1, 2], to: socket.localAddress)
            #expect(try await waiting.value.bytes == [0, 1, 2])
            let again = loop.spawn { try await socket.receive() }
            try await loop.waitUntilIdle(waits: 1)
            do {
                let datagrams = try await socket.datagrams(upTo: 2)
                #expect(code(of: await failure(of: again)) == .alreadyInProcess)
                await expectError(.alreadyInProcess) { try await socket.datagrams() }
                await expectError(.alreadyInProcess) { try await socket.receive() }
                try await socket.send([1, 2, 3], to: socket.localAddress)
                let cut = try #require(try await datagrams.next()).get()
                #expect(cut.bytes == [1, 2] && cut.isTruncated)
            }
            // The sequence is gone: whoever asks gets what comes.
            try await socket.send([4], to: socket.localAddress)
            #expect(try await socket.receive().bytes == [4])
        }
    }

    @Test("A flood leaves the others their turns") func flood() throws {
        try onLoop { loop in
            let (near, far) = (try await UDPSocket.onLoopback(), try await UDPSocket.onLoopback())
            let flooding = loop.spawn {
                while true { try await near.send([UInt8](repeating: 1, count: 512), to: far.localAddress) }
            }
            let receiving = loop.spawn {
                var count = 0
                do { while true { count += try await far.receive().bytes.count / 512 } } catch { return count }
            }
            let began = LoopClock.Instant.now
            for _ in 0..<20 { try await loop.sleep(for: .milliseconds(1)) }
            #expect(LoopClock.Instant.now - began < .seconds(60))
            receiving.cancel()
            #expect(try await receiving.value > 20)
            flooding.cancel()
            #expect(await failure(of: flooding) is CancellationError)
        }
    }
}
