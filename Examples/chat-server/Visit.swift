import AsyncUV
import Foundation

/// One client, from its first line to its last.
struct Visit {
    private static let longestLine = 1_000
    private static let longestName = 20

    private let connection: TCPConnection
    private let room: Room
    private let backlog: Int

    init(of connection: TCPConnection, to room: Room, backlog: Int) {
        self.connection = connection
        self.room = room
        self.backlog = backlog
    }

    func run() async throws {
        do {
            guard let member = try await introduce() else { return }
            do { try await talk(as: member) } catch {
                await room.leave(member)
                throw error
            }
            await room.leave(member)
        } catch let error as UVError where error.code == .messageTooLong {
            try await write("* a line has at most \(Self.longestLine) bytes, good bye")
        } catch let error as UVError where error.code == .timedOut {
            try await write("* good night")
        }
    }

    /// Asks until there is a name that nobody else has; `nil` when the client leaves instead.
    private func introduce() async throws -> Member? {
        var question = "* what is your name?"
        while true {
            try await write(question)
            guard let answer = try await readLine(timeout: .seconds(60)) else { return nil }
            let name = answer.filter { $0.isLetter || $0.isNumber || "-_.".contains($0) }
            guard !name.isEmpty, name.count <= Self.longestName, name == answer else {
                question = "* a name has 1 to \(Self.longestName) letters, digits, dots and dashes; what is yours?"
                continue
            }
            let member = Member(name, backlog: backlog) { [connection] in
                // The room goes on meanwhile. What the client waits in ends with an error.
                connection.loop.spawn { await connection.closeWithReset() }
            }
            if await room.join(member) { return member }
            question = "* somebody has that name; what is yours?"
        }
    }

    /// Listens and speaks at the same time, until there is nothing more to say. Then listening is cancelled.
    private func talk(as member: Member) async throws {
        async let _ = listen(to: member)
        for await line in member.outbox { try await write(line) }
    }

    /// Until the client leaves, or breaks off; then what waits is still sent.
    private func listen(to member: Member) async throws {
        defer { member.finish() }
        do {
            while let line = try await readLine() {
                switch line {
                case "": break
                case "/quit": return
                case "/who": member.send("* here: \(await room.names)")
                case _ where line.hasPrefix("/"): member.send("* there is only /who and /quit")
                default: await room.say(line, by: member)
                }
            }
        } catch let error as UVError where error.code == .messageTooLong {
            member.send("* a line has at most \(Self.longestLine) bytes, good bye")
        }
    }

    /// A line without spaces around it, and without the characters that could play tricks on others' terminals.
    private func readLine(timeout: Duration? = nil) async throws -> String? {
        guard
            let line = try await connection.readLine(limit: Self.longestLine, timeout: timeout, untilDraining: true)
        else { return nil }
        let printable = line.unicodeScalars.filter { $0.properties.generalCategory != .control }
        return String(String.UnicodeScalarView(printable)).trimmingCharacters(in: .whitespaces)
    }

    private func write(_ line: String) async throws { try await connection.write(Array("\(line)\n".utf8)) }
}
