import AsyncUV
import Foundation
import SystemPackage
import TestSupport
import Testing

@Suite(.inTurn) struct TerminalTests {
    @Test("Keys come one by one; Escape alone after its delay; the terminal's end is the end")
    func keys() async throws {
        let pseudo = try PseudoTerminal()
        let (person, program) = (pseudo.person, pseudo.program)
        try await withOwnLoop { loop in
            let terminal = try await Terminal.open(program, on: loop)
            let keys = try await terminal.withMode(.raw) {
                var keys: [Key] = []
                var iterator = terminal.keys(escapeDelay: .milliseconds(20)).makeAsyncIterator()
                for text in ["q", "\u{1b}[A", "\u{1b}", "é", "\u{3}\r"] {
                    try person.writeAll(text.utf8)
                    keys.append(try #require(try await iterator.next()))
                }
                keys.append(try #require(try await iterator.next()))
                // A cancelled wait loses nothing.
                let next = loop.spawn { try await terminal.read() }
                try await loop.waitUntilIdle()
                next.cancel()
                #expect(await failure(of: next) is CancellationError)
                try person.writeAll("z".utf8)
                keys.append(try #require(try await iterator.next()))
                return keys
            }
            #expect(keys == [Key("q"), Key(.up), Key(.escape), Key("é"), .control("c"), Key(.enter), Key("z")])
            #expect(try await terminal.mode == .normal)
            await terminal.close()
            await expectError(.badFileDescriptor) { try await terminal.setMode(.raw) }
        }
        #expect(!pseudo.isRaw)
    }

    @Test("A program that has changed its terminal may still explain itself on a signal, before and after")
    func explainsItself() async {
        await #expect(processExitsWith: .success) {
            let pseudo = try PseudoTerminal()
            let loop = try EventLoop()
            try EventLoop.explainAlive(on: .user2)
            let terminal = try await Terminal.open(pseudo.program, on: loop)
            try await terminal.withMode(.raw) {
                try EventLoop.explainAlive(on: .user1)
                try EventLoop.explainAlive(on: .user2)
            }
            await terminal.close()
            await loop.shutdown()
        }
    }

    @Test("C1, K2: the mode is set back when a body throws or is cancelled")
    func modeIsSetBack() async throws {
        let pseudo = try PseudoTerminal()
        let program = pseudo.program
        struct Stop: Error {}
        try await withOwnLoop { loop in
            let terminal = try await Terminal.open(program, on: loop)
            await #expect(throws: Stop.self) { try await terminal.withMode(.raw) { throw Stop() } }
            let waiting = loop.spawn { try await terminal.withMode(.binary) { _ = try await terminal.read() } }
            try await loop.waitUntilIdle()
            waiting.cancel()
            #expect(await failure(of: waiting) is CancellationError)
            #expect(try await terminal.mode == .normal)
        }
        #expect(!pseudo.isRaw)
    }

    @Test("C1: cancelled before, and while it waits for a key or for the rest of one: nothing is lost")
    func keysAreCancelled() async throws {
        let pseudo = try PseudoTerminal()
        let (person, program) = (pseudo.person, pseudo.program)
        try await withOwnLoop { loop in
            let terminal = try await Terminal.open(program, on: loop)
            try await terminal.withMode(.raw) {
                let keys = terminal.keys(escapeDelay: .seconds(1_000))
                @Sendable func next() async throws -> Key? {
                    var iterator = keys.makeAsyncIterator()
                    return try await iterator.next()
                }
                func expectCancellation() async throws {
                    let waiting = loop.spawn { try await next() }
                    try await loop.waitUntilIdle()
                    waiting.cancel()
                    #expect(await failure(of: waiting) is CancellationError)
                }
                try await expectCancellation()
                // The last one is the beginning of an arrow.
                try person.writeAll("ab\u{1b}".utf8)
                #expect(try await next() == Key("a"))
                let late = loop.spawn {
                    while !Task.isCancelled { await Task.yield() }
                    return try await next()
                }
                late.cancel()
                #expect(await failure(of: late) is CancellationError)
                #expect(try await next() == Key("b"))
                try await expectCancellation()
                try person.writeAll("[A".utf8)
                #expect(try await next() == Key(.up))
            }
            await terminal.close()
        }
    }

    @Test("C1: cancelled before, and while it waits for a size: the next sequence gets it")
    func sizesAreCancelled() async throws {
        let pseudo = try PseudoTerminal()
        let program = pseudo.program
        pseudo.resize(columns: 80, rows: 24)
        let loop = try EventLoop()
        let terminal = try await Terminal.open(program, on: loop)
        let sizes = try await terminal.sizes()
        let late = loop.spawn {
            while !Task.isCancelled { await Task.yield() }
            var iterator = sizes.makeAsyncIterator()
            return try await iterator.next()
        }
        late.cancel()
        #expect(await failure(of: late) is CancellationError)
        let waiting = loop.spawn {
            var iterator = sizes.makeAsyncIterator()
            #expect(try await iterator.next() == TerminalSize(columns: 80, rows: 24))
            return try await iterator.next()
        }
        try await loop.waitUntilIdle(waits: 1)
        waiting.cancel()
        #expect(await failure(of: waiting) is CancellationError)
        var iterator = sizes.makeAsyncIterator()
        #expect(try await iterator.next() == TerminalSize(columns: 80, rows: 24))
        pseudo.resize(columns: 100, rows: 30)
        kill(getpid(), SIGWINCH)
        #expect(try await iterator.next() == TerminalSize(columns: 100, rows: 30))
        await loop.shutdown()
    }

    @Test("K1: a loop that ends gives the settings back; a dropped terminal, too")
    func loopEnds() async throws {
        let pseudo = try PseudoTerminal()
        let program = pseudo.program
        try await withOwnLoop { loop in
            let terminal = try await Terminal.open(program, on: loop)
            try await terminal.setMode(.raw)
        }
        #expect(!pseudo.isRaw)
        let loop = try EventLoop()
        let terminal = try await Terminal.open(program, on: loop)
        try await terminal.setMode(.raw)
        #expect(pseudo.isRaw)
        let waiting = loop.spawn { try await terminal.read() }
        try await loop.waitUntilIdle()
        await loop.shutdown()
        #expect(code(of: await failure(of: waiting)) == .canceled)
        #expect(!pseudo.isRaw)
    }

    @Test func sizes() async throws {
        let pseudo = try PseudoTerminal()
        let program = pseudo.program
        pseudo.resize(columns: 80, rows: 24)
        let loop = try EventLoop()
        let terminal = try await Terminal.open(program, on: loop)
        var sizes = try await terminal.sizes().makeAsyncIterator()
        #expect(try await sizes.next() == TerminalSize(columns: 80, rows: 24))
        // A signal without a change is none.
        kill(getpid(), SIGWINCH)
        try await loop.waitUntilIdle()
        pseudo.resize(columns: 100, rows: 30)
        kill(getpid(), SIGWINCH)
        #expect(try await sizes.next() == TerminalSize(columns: 100, rows: 30))
        #expect(try await terminal.size.rows == 30)
        await loop.shutdown()
    }

    @Test func linesAndNoTerminal() async throws {
        let pseudo = try PseudoTerminal()
        let (person, program) = (pseudo.person, pseudo.program)
        try await withOwnLoop { loop in
            let terminal = try await Terminal.open(program, on: loop)
            try person.writeAll("one\ntwo\n".utf8)
            #expect(try await terminal.readLine() == "one")
            #expect(try await terminal.readLine() == "two")
            await terminal.close()
            let file = try FileDescriptor.open(FilePath("/dev/null"), .readWrite)
            await expectError(.notTerminal) { try await Terminal.open(file, on: loop) }
            try file.close()
        }
        await expectError(.canceled) {
            let loop = try EventLoop()
            await loop.shutdown()
            _ = try await Terminal.open(program, on: loop)
        }
    }
}
