internal import AsyncUV

/// Answers of Redis's protocol, one behind the other.
public struct Answers: Sendable {
    /// How much memory stays for the next answers.
    private static let kept = 4_096

    public private(set) var bytes: [UInt8] = []

    public init() {}

    /// Forgets what has been sent.
    public mutating func clear() { bytes.removeAll(keepingCapacity: bytes.count <= Self.kept) }

    private static let ok = Array("+OK\r\n".utf8)
    private static let pong = Array("+PONG\r\n".utf8)
    private static let null = Array("$-1\r\n".utf8)

    public mutating func addOK() { bytes += Self.ok }

    public mutating func addPong() { bytes += Self.pong }

    /// What an absent value is.
    public mutating func addNull() { bytes += Self.null }

    public mutating func add(error: String) {
        bytes.append(UInt8(ascii: "-"))
        bytes += error.utf8
        addEnd()
    }

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

    private mutating func addHead(of count: Int) {
        bytes.append(UInt8(ascii: "$"))
        add(digitsOf: count)
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
