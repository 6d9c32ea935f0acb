/// What keeps a loop alive and what else is on it: why does this program not end?
///
/// Its `description` is for people, and stays short however much there is: what is alike is told once. See
/// ``Loop/explainAlive()``.
public struct AliveReport: Sendable {
    /// Whether the loop goes on because of something.
    public enum Standing: Sendable, Hashable {
        /// The loop does not end before this has.
        case keepsLoopAlive
        /// A task waits for this; the loop of an `EventLoop` does not go on for it alone, but the task's own end depends on it.
        case waits
        /// It is open, and the loop ends all the same: it does nothing, or ``Handle/keepsLoopAlive`` is false.
        case isIdle
        /// Its close was asked for and has not finished.
        case isClosing
    }

    /// A handle, a request or a task that waits.
    public struct Entry: Sendable {
        /// What it is: `TCP listener`, `timer`, `read`.
        public var kind: String
        /// Whether the loop goes on for it.
        public var standing: Standing
        /// The user's own name for it, such as ``Handle/label``.
        public var label: String?
        /// Where it listens, to whom it is connected, the path that it is about.
        public var address: String?
        /// What it is doing: `due in 1.5 s`.
        public var detail: String?
        /// Where it was made, by file and line: of a handle that was made by code outside of this library. `nil` for requests and for what C
        /// code has made; for what the async layer has made, too: see ``madeBy``.
        public var madeAt: String?
        /// How long it has been there.
        public var age: Duration?
        /// Bytes that wait to be written.
        public var pendingBytes = 0
        /// The name of the task that waits or has made it.
        public var task: String?
        /// Where the task waits.
        public var waitsIn = Trail.none
        /// The functions that led to its making, if ``Diagnostics/isTracing``.
        public var madeBy = Trail.none

        package init(_ kind: String, _ standing: Standing) {
            self.kind = kind
            self.standing = standing
        }

        /// Where it was made or waits: the innermost function of the user, or file and line.
        public var place: String? { waitsIn.place ?? madeAt ?? madeBy.place }
    }

    /// What the report is about: `this loop`, `EventLoop "downloads"`.
    public let subject: String
    /// In the order of their making: handles, then those of C code, then requests. Tasks that wait come first.
    public var entries: [Entry]
    /// Sentences about what is no entry: `3 jobs are ready to run`.
    public var notes: [String] = []

    /// Whether the loop goes on although nothing keeps it alive, until it is told to end.
    private let runsUntilStopped: Bool

    package init(_ subject: String, runsUntilStopped: Bool = false, _ entries: [Entry]) {
        self.subject = subject
        self.runsUntilStopped = runsUntilStopped
        self.entries = entries
    }

    /// What the loop does not end before.
    public var keepingAlive: [Entry] { entries.filter { $0.standing == .keepsLoopAlive } }
}

extension AliveReport: CustomStringConvertible {
    /// For people:
    ///
    /// ```
    /// 2 things keep this loop alive:
    ///   TCP listener on 127.0.0.1:8080 (made at App/Server.swift:12, 3.2 s ago)
    ///   timer "heartbeat", due in 1.5 s, every 2 s (made at App/Server.swift:20, 3.2 s ago)
    /// 1 is open without keeping it alive:
    ///   signal watch for SIGTERM (made at App/main.swift:3, 3.3 s ago)
    /// ```
    public var description: String {
        // All at once, because each look into the symbols takes its time.
        Trail.lookUp(entries.flatMap { [$0.waitsIn, $0.madeBy] })
        var lines = [headline]
        if !runsUntilStopped { lines += list(.keepsLoopAlive) }
        for (standing, one, many) in [
            (Standing.waits, "1 task waits:", "tasks wait:"),
            (.keepsLoopAlive, "1 is open and active:", "are open and active:"),
            (.isClosing, "1 is closing:", "are closing:"),
            (.isIdle, "1 is open without keeping it alive:", "are open without keeping it alive:"),
        ] where runsUntilStopped || standing != .keepsLoopAlive {
            let count = entries.count { $0.standing == standing }
            if count == 0 { continue }
            lines.append(count == 1 ? one : "\(count) \(many)")
            lines += list(standing)
        }
        return (lines + notes).joined(separator: "\n")
    }

    private var headline: String {
        if runsUntilStopped {
            return switch entries.count {
            case 0: "nothing is on \(subject)"
            case 1: "1 thing is on \(subject):"
            case let count: "\(count) things are on \(subject):"
            }
        }
        return switch keepingAlive.count {
        case 0: "nothing keeps \(subject) alive"
        case 1: "1 thing keeps \(subject) alive:"
        case let count: "\(count) things keep \(subject) alive:"
        }
    }

    /// What is alike but for addresses and ages is told once, with its oldest.
    private func list(_ standing: Standing) -> [String] {
        struct Likeness: Hashable {
            let kind: String
            let label, madeAt: String?
            let waitsIn, madeBy: Trail
        }
        var order: [Likeness] = []
        var alike: [Likeness: [Entry]] = [:]
        for entry in entries where entry.standing == standing {
            let likeness = Likeness(
                kind: entry.kind, label: entry.label, madeAt: entry.madeAt, waitsIn: entry.waitsIn, madeBy: entry.madeBy
            )
            if alike[likeness] == nil { order.append(likeness) }
            alike[likeness, default: []].append(entry)
        }
        return order.flatMap { likeness in
            let all = alike[likeness] ?? []
            let shown = all.count <= Self.most ? all[...] : all[..<Self.most]
            let rest = all.count - shown.count
            return shown.map { "  " + $0.text(indent: "    ") } + (rest > 0 ? ["  … and \(rest) more like it"] : [])
        }
    }

    private static let most = 3
}

extension AliveReport.Entry: CustomStringConvertible {
    /// For people, in one line: `timer "heartbeat", due in 1.5 s (made at App/Server.swift:20, 3.2 s ago)`.
    public var description: String { text(indent: nil) }

    /// - Parameter indent: Of further lines, which say where a task waits; `nil` for none.
    fileprivate func text(indent: String?) -> String {
        var text = kind
        if let label { text += " \"\(label)\"" }
        if let address { text += " \(address)" }
        if let task { text += ", task \"\(task)\"" }
        if let detail { text += ", \(detail)" }
        if pendingBytes > 0 { text += ", \(pendingBytes) bytes wait to be written" }
        var origin: [String] = []
        if let madeAt {
            origin.append("made at \(madeAt)")
        } else if let place = madeBy.place {
            origin.append("made in \(place)")
        }
        if let age {
            let age = age.inWords
            origin.append(origin.isEmpty ? age : "\(age) ago")
        }
        if !origin.isEmpty { text += " (\(origin.joined(separator: ", ")))" }
        if let place = waitsIn.place {
            guard let indent else { return text + " in \(place)" }
            let lines = waitsIn.lines
            text += "\n" + lines.prefix(Self.mostLines).map { "\(indent)in \($0)" }.joined(separator: "\n")
            if lines.count > Self.mostLines { text += "\n\(indent)…" }
        }
        return text
    }

    private static let mostLines = 12
}

extension Duration {
    /// With the precision that people need: `3.2 s`, `150 ms`, `2 min`.
    package var inWords: String {
        let milliseconds =
            components.seconds.multipliedReportingOverflow(by: 1_000).partialValue
            + components.attoseconds / 1_000_000_000_000_000
        return switch milliseconds {
        case ..<1_000: "\(milliseconds) ms"
        case ..<60_000: "\(milliseconds / 1_000).\(milliseconds / 100 % 10) s"
        case ..<7_200_000: "\(milliseconds / 60_000) min"
        default: "\(milliseconds / 3_600_000) h"
        }
    }
}
