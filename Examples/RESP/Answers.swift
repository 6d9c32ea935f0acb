import AsyncUV

/// Answers of Redis's protocol, one behind the other.
public struct Answers: Sendable {
    /// How much memory stays for the next answers.
    private static let kept = 4_096

    public private(set) var bytes: [UInt8] = []

    public init() {}

    /// Forgets what has been sent.
    public mutating func clear() { bytes.removeAll(keepingCapacity: bytes.count <= Self.kept) }

    public mutating func add(status: StaticString) { add(line: UInt8(ascii: "+"), status.description) }

    public mutating func add(error: String) { add(line: UInt8(ascii: "-"), error) }

    public mutating func add(number: Int) {
        bytes.append(UInt8(ascii: ":"))
        add(digitsOf: number)
        addEnd()
    }

    public mutating func add(bulk: Span<UInt8>) {
        addHead(of: bulk.count)
        bytes.append(copying: bulk)
        addEnd()
    }

    public mutating func add(bulk: [UInt8]) {
        addHead(of: bulk.count)
        bytes += bulk
        addEnd()
    }

    /// What an absent value is.
    public mutating func addNull() { add(line: UInt8(ascii: "$"), "-1") }

    private mutating func addHead(of count: Int) {
        bytes.append(UInt8(ascii: "$"))
        add(digitsOf: count)
        addEnd()
    }

    private mutating func add(line mark: UInt8, _ text: String) {
        bytes.append(mark)
        bytes += text.utf8
        addEnd()
    }

    private mutating func add(digitsOf number: Int) {
        if number < 10 { return bytes.append(UInt8(ascii: "0") + UInt8(number)) }
        bytes += String(number).utf8
    }

    private mutating func addEnd() {
        bytes.append(UInt8(ascii: "\r"))
        bytes.append(UInt8(ascii: "\n"))
    }
}
