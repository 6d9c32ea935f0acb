import AsyncUV

/// What a program has understood of some bytes.
struct Reading: Sendable {
    struct Request: Sendable {
        var method: String
        var target: String
        /// As the field says; `nil` where the target says another, which is for the program to choose.
        var host: String?
        /// In order, without the host: names in lower case, values without what is not ASCII.
        var fields: [Field]
        var body: [UInt8] = []
        /// Whether the body has come to its end.
        var isWhole = false
    }

    struct Field: Sendable, Equatable {
        var name: String
        var value: String

        init(_ name: String, _ value: String) {
            self.name = name.lowercased()
            // What is no UTF-8 is repaired in different ways.
            var scalars = value.unicodeScalars.filter(\.isASCII)[...]
            while let last = scalars.last, last == " " || last == "\t" { scalars.removeLast() }
            self.value = String(String.UnicodeScalarView(scalars))
        }
    }

    enum End: Sendable, Equatable {
        /// More bytes could come.
        case open
        /// What follows the last request is not looked at: the connection ends, or another protocol is spoken on it.
        case closed
        case refused(String)
    }

    var requests: [Request] = []
    var end = End.open
}

/// Where two readings of the same bytes differ first.
struct Comparison {
    enum Difference: CustomStringConvertible {
        case bothRefuse
        /// We refuse what NIO takes, or has not refused yet.
        case weRefuse(String)
        /// NIO refuses what we take.
        case theyRefuse(String)
        /// Both take it, and mean something else.
        case otherwise(String)

        var description: String {
            switch self {
            case .bothRefuse: "both refuse"
            case .weRefuse(let why): "we refuse, NIO does not: \(why)"
            case .theyRefuse(let why): "NIO REFUSES, WE DO NOT: \(why)"
            case .otherwise(let what): "READ DIFFERENTLY: \(what)"
            }
        }
    }

    /// How many requests both have read alike.
    var requests = 0
    var difference: Difference?

    /// What both programs make of the same pieces.
    static func compare(_ pieces: [[UInt8]], on loop: EventLoop) async -> Comparison {
        let (ours, theirs) = (await Ours.read(pieces, on: loop), Theirs.read(pieces))
        var comparison = Comparison()
        let difference = comparison.firstDifference(ours, theirs)
        comparison.difference = difference
        return comparison
    }

    private mutating func firstDifference(_ ours: Reading, _ theirs: Reading) -> Difference? {
        for (our, their) in zip(ours.requests, theirs.requests) {
            if our.method != their.method { return .otherwise("the method is \(our.method) or \(their.method)") }
            if our.target != their.target { return .otherwise("the target") }
            if let host = our.host, host != their.host { return .otherwise("the host") }
            if our.fields != their.fields { return .otherwise("the fields") }
            guard our.isWhole, their.isWhole else { return difference(of: our, their, ours.end, theirs.end) }
            if our.body != their.body { return .otherwise("the body") }
            requests += 1
        }
        // Whoever has seen the end of the connection, or of HTTP, looks at nothing more.
        if ours.requests.count > theirs.requests.count {
            if theirs.end == .closed { return nil }
            if case .refused(let why) = theirs.end { return .theyRefuse(why) }
            return .otherwise("we see one more request")
        }
        if theirs.requests.count > ours.requests.count {
            if ours.end == .closed { return nil }
            if case .refused(let why) = ours.end { return .weRefuse(why) }
            return .otherwise("NIO sees one more request")
        }
        switch (ours.end, theirs.end) {
        case (.closed, _), (_, .closed), (.open, .open): return nil
        case (.refused, .refused): return .bothRefuse
        case (.refused(let why), .open): return .weRefuse(why)
        // It does not wait for the end of a line, and we have taken nothing yet.
        case (.open, .refused): return nil
        }
    }

    /// One of the bodies is not whole.
    private func difference(
        of our: Reading.Request, _ their: Reading.Request, _ ourEnd: Reading.End, _ theirEnd: Reading.End
    ) -> Difference? {
        if our.isWhole {
            if case .refused(let why) = theirEnd { return .theyRefuse(why) }
            return .otherwise("we have the whole body")
        }
        if their.isWhole {
            if case .refused(let why) = ourEnd { return .weRefuse(why) }
            return .otherwise("NIO has the whole body")
        }
        switch (ourEnd, theirEnd) {
        case (.refused, .refused): return .bothRefuse
        case (.refused(let why), _): return .weRefuse(why)
        default:
            // As far as both have come.
            let count = min(our.body.count, their.body.count)
            return our.body.prefix(count) == their.body.prefix(count) ? nil : .otherwise("the body")
        }
    }
}
