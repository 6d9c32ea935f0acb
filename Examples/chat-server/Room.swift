import AsyncUV
import ExampleSupport

/// Who is there, and what is said. It lives on the loop, as the connections do: calls to it need no lock and no hop.
actor Room: LoopActor {
    let loop: EventLoop
    private var members: [String: Member] = [:]
    private var isClosed = false
    private(set) var total = Total()

    init(on loop: EventLoop) { self.loop = loop }

    /// Lets somebody in.
    ///
    /// - Returns: False when the name is taken.
    func join(_ member: Member) -> Bool {
        let key = member.name.lowercased()
        guard members[key] == nil, !isClosed else { return false }
        announce("* \(member.name) has joined")
        members[key] = member
        total.people += 1
        member.send("* welcome, \(member.name); here: \(names); /who lists them, /quit leaves")
        return true
    }

    /// Somebody has gone; if it was not the room that sent them away, the others are told.
    func leave(_ member: Member) {
        let key = member.name.lowercased()
        guard members[key] === member else { return }
        members[key] = nil
        announce("* \(member.name) has left")
    }

    func say(_ text: String, by member: Member) {
        total.lines += 1
        announce("\(member.name): \(text)", except: member)
    }

    var names: String { members.values.map(\.name).sorted().joined(separator: ", ") }

    /// Says good bye to everybody.
    func close() {
        isClosed = true
        announce("* the server ends, good bye")
        for member in members.values { member.finish() }
    }

    /// Memory is bounded because nobody may lag for long: who does not read is dropped, and the others are told.
    private func announce(_ line: String, except speaker: Member? = nil) {
        var slow: [Member] = []
        for member in members.values where member !== speaker && !member.send(line) { slow.append(member) }
        for member in slow { members[member.name.lowercased()] = nil }
        for member in slow {
            member.drop()
            announce("* \(member.name) was too slow and has been dropped")
        }
    }
}

/// What a room has seen.
struct Total: CustomStringConvertible {
    var people = 0
    var lines = 0

    var description: String { "\(people.grouped) \(people == 1 ? "person" : "people"), \(count(lines, "line"))" }
}
