import Foundation
import SystemPackage
import TestSupport
import Testing
import UV

@Suite(.ownThread) struct LocalMessageTests {
    private static func withPair(_ body: (FileDescriptor, FileDescriptor) throws -> Void) throws {
        let (near, far) = try LocalMessage.pair()
        defer {
            try? near.close()
            try? far.close()
        }
        try body(near, far)
    }

    @Test("Descriptors come in order, closed on exec, up to 253", arguments: [0, 1, 64, 253])
    func many(_ count: Int) throws {
        try Self.withPair { near, far in
            let sent = try (0..<count).map { _ in unsafe try FileDescriptor.open("/dev/null", .readOnly) }
            let pipe = try PipeHandle.pipe()
            let all = sent.dropLast() + (count > 0 ? [pipe.writeEnd] : [])
            #expect(try LocalMessage.send([1, 2, 3].span, descriptors: Array(all), over: near) == 3)
            let message = try #require(try LocalMessage.receive(from: far))
            #expect(message.bytes == [1, 2, 3] && message.descriptors.count == count)
            let taken = message.descriptors.compactMap { $0.take() }
            #expect(taken.map(\.inode) == all.map(\.inode))
            #expect(taken.allSatisfy { fcntl($0.rawValue, F_GETFD) & FD_CLOEXEC != 0 })
            for descriptor in taken + sent + [pipe.readEnd, pipe.writeEnd] { try descriptor.close() }
        }
    }

    @Test func whatIsNoMessageIsRefused() throws {
        try Self.withPair { near, far in
            let nothing: [UInt8] = []
            expectError(.invalidArgument) { try LocalMessage.send(nothing.span, over: near) }
            let many = [FileDescriptor](repeating: near, count: 254)
            expectError(.invalidArgument) { try LocalMessage.send([1].span, descriptors: many, over: near) }
            expectError(.badFileDescriptor) {
                try LocalMessage.send([1].span, descriptors: [FileDescriptor(rawValue: 19_999)], over: near)
            }
            expectError(.invalidArgument) { try LocalMessage.receive(from: far, upTo: 0) }
            expectError(.resourceTemporarilyUnavailable) { try LocalMessage.receive(from: far) }
            let pipe = try PipeHandle.pipe()
            expectError(.notSocket) { try LocalMessage.send([1].span, over: pipe.writeEnd) }
            expectError(.notSocket) { try LocalMessage.receive(from: pipe.readEnd) }
            try pipe.readEnd.close()
            try pipe.writeEnd.close()
        }
    }

    @Test("A message that is larger than the limit stays, and so do boundaries") func limit() throws {
        try Self.withPair { near, far in
            let large = [UInt8](repeating: 1, count: 1_000)
            #expect(
                try LocalMessage.send(large.span, descriptors: [far], over: near) == 1_000
            )
            #expect(try LocalMessage.send([2].span, over: near) == 1)
            expectError(.messageTooLong) { try LocalMessage.receive(from: far, upTo: 999) }
            let message = try LocalMessage.receive(from: far, upTo: 1_000)
            #expect(message?.bytes.count == 1_000 && message?.descriptors.count == 1)
            #expect(try LocalMessage.receive(from: far)?.bytes == [2])
        }
    }

    @Test("A full socket takes nothing; the end is nil, and a broken pipe for the sender") func ends() throws {
        let (near, far) = try LocalMessage.pair()
        var count = 0
        while try LocalMessage.send([UInt8](repeating: 0, count: 10_000).span, over: near) > 0 { count += 1 }
        #expect(count > 1)
        for _ in 0..<count { #expect(try LocalMessage.receive(from: far)?.bytes.count == 10_000) }
        try near.close()
        #expect(try LocalMessage.receive(from: far)?.bytes == nil)
        expectError(.brokenPipe) { try LocalMessage.send([1].span, over: far) }
        try far.close()
    }

    @Test("What nobody takes is closed with the message, and what is under way with the receiver")
    func untaken() throws {
        let (near, far) = try LocalMessage.pair()
        let pipe = try PipeHandle.pipe()
        let descriptors = [FileDescriptor](repeating: pipe.writeEnd, count: 64)
        for _ in 0..<2 { #expect(try LocalMessage.send([1].span, descriptors: descriptors, over: near) == 1) }
        try pipe.writeEnd.close()
        #expect(try LocalMessage.receive(from: far)?.descriptors.count == 64)
        try far.close()
        #expect(try pipe.readEnd.readToEnd() == [])
        try pipe.readEnd.close()
        try near.close()
    }

    @Test("Over a socket for streams, descriptors come with the bytes that they were sent with") func stream() throws {
        var sockets: [CInt] = [0, 0]
        #expect(unsafe socketpair(AF_UNIX, CInt(SOCK_STREAM.rawValue), 0, &sockets) == 0)
        let (near, far) = (FileDescriptor(rawValue: sockets[0]), FileDescriptor(rawValue: sockets[1]))
        #expect(try LocalMessage.send([1].span, descriptors: [near], over: near) == 1)
        #expect(try LocalMessage.send([2, 3].span, descriptors: [far, far], over: near) == 2)
        #expect(try LocalMessage.send([4].span, over: near) == 1)
        let first = try LocalMessage.receive(from: far)
        #expect(first?.bytes == [1] && first?.descriptors.count == 1)
        let second = try LocalMessage.receive(from: far, upTo: 1)
        #expect(second?.bytes == [2] && second?.descriptors.count == 2)
        let third = try LocalMessage.receive(from: far)
        #expect(third?.bytes == [3, 4] && third?.descriptors.isEmpty == true)
        try near.close()
        try far.close()
    }

    @Test func kindsOfDescriptors() throws {
        try inSocketFolder { folder in
            let tcp = try FileDescriptor.tcpListener()
            let local = try FileDescriptor.localSocket(at: folder.appending("s"))
            let (one, other) = try FileDescriptor.tcpPair()
            let client = try FileDescriptor.localConnection(to: folder.appending("s"))
            let datagrams = FileDescriptor(rawValue: socket(AF_INET, CInt(SOCK_DGRAM.rawValue), 0))
            let file = unsafe try FileDescriptor.open("/dev/null", .readOnly)
            let kinds: [PassedDescriptor.Kind] = [
                .tcpListener, .localListener, .tcpConnection, .localConnection, .datagramSocket, .other,
            ]
            let all = [tcp, local, one, client, datagrams, file].map { PassedDescriptor($0) }
            #expect(all.map(\.kind) == kinds)
            #expect("\(all[0])" == "passed TCP listener")
            #expect(all[0].take() == tcp && all[0].take() == nil)
            try tcp.close()
            try other.close()
        }
    }

    #if os(Linux)
    @Test("A process without room gets an error, no descriptor leaks, and the message is there when it has room")
    func outOfDescriptors() async {
        await #expect(processExitsWith: .success) {
            await letDispatchOpenItsDescriptors()
            for (type, room) in [(SOCK_STREAM, 0), (SOCK_STREAM, 10), (SOCK_SEQPACKET, 0), (SOCK_SEQPACKET, 63)] {
                var sockets: [CInt] = [0, 0]
                #expect(unsafe socketpair(AF_UNIX, CInt(type.rawValue), 0, &sockets) == 0)
                let (near, far) = (FileDescriptor(rawValue: sockets[0]), FileDescriptor(rawValue: sockets[1]))
                let descriptors = [FileDescriptor](repeating: near, count: 64)
                #expect(try LocalMessage.send([1, 2].span, descriptors: descriptors, over: near) == 2)
                let before = countDescriptors()
                limitDescriptors(to: lowestFreeDescriptor() + room)
                for _ in 0..<3 { expectError(.tooManyOpenFiles) { try LocalMessage.receive(from: far) } }
                limitDescriptors(to: 1_000)
                #expect(countDescriptors() == before)
                do {
                    let message = try LocalMessage.receive(from: far)
                    #expect(message?.bytes == [1, 2] && message?.descriptors.count == 64)
                    #expect(countDescriptors() == before + 64)
                }
                #expect(countDescriptors() == before)
                try near.close()
                try far.close()
            }
        }
    }
    #endif
}
