import Foundation
import SystemPackage
import TestSupport
import Testing
import UV

@Suite(.ownThread) struct WorkTests {
    @Test("Work runs on another thread; its result or its error comes back on the loop's")
    func work() throws {
        struct Odd: Error {}
        let here = pthread_self()
        var value: Int?, failure: (any Error)?
        try withLoop { loop in
            try WorkRequest.run(on: loop) {
                pthread_equal(here, pthread_self()) == 0 ? 42 : 0
            } onDone: {
                #expect(pthread_equal(here, pthread_self()) != 0)
                value = try? $1.get()
            }
            try WorkRequest.run(on: loop) {
                throw Odd()
            } onDone: { (_, result: Result<Void, any Error>) in
                do { try result.get() } catch { failure = error }
            }
            #expect(value == nil && failure == nil)
        }
        #expect(value == 42 && failure is Odd)
    }

    @Test("Work that begins work, and ends its loop's last handle")
    func chain() throws {
        var count = 0
        try withLoop { loop in
            func more() throws {
                try WorkRequest.run(on: loop) {
                    1
                } onDone: { request, result in
                    count += try! result.get()
                    if count < 100 { try! more() }
                }
            }
            try more()
        }
        #expect(count == 100)
    }

    @Test("Random bytes: as many as asked for, and not the same", arguments: [0, 1, 32, 100_000])
    func random(_ count: Int) throws {
        let first = try done { try RandomRequest.bytes(count, on: $0, onDone: $1) }
        let second = try done { try RandomRequest.bytes(count, on: $0, onDone: $1) }
        #expect(first.count == count && second.count == count)
        if count >= 32 { #expect(first != second && Set(first).count > 8) }
    }

    @Test("B2: random bytes, a count that cannot be", arguments: [-1, 1 << 31, .max])
    func randomRefused(_ count: Int) throws {
        let loop = try Loop()
        expect(.invalidArgument, of: "\(count) bytes") { try RandomRequest.bytes(count, on: loop) { _, _ in } }
        #expect(!loop.isAlive)
        try loop.close()
    }

    @Test("Names of an address: loopback has one; a number where there is no name")
    func names() throws {
        let local = try done {
            try NameRequest.name(of: SocketAddress(host: "127.0.0.1", port: 80), on: $0, onDone: $1)
        }
        #expect(!local.host.isEmpty && (local.service == "http" || local.service == "80"))
        let strange = try done {
            try NameRequest.name(of: SocketAddress(host: "127.45.67.89", port: 1), on: $0, onDone: $1)
        }
        #expect(!strange.host.isEmpty && !strange.service.isEmpty)
    }
}
