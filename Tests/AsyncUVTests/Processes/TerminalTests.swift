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
