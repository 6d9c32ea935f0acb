internal import Synchronization
internal import SystemPackage

#if canImport(Runtime)
internal import Runtime
#endif

/// Turns addresses of code into functions, files and lines.
///
/// By the Swift runtime's own reader of symbols and debug information, through what is public of it: it takes a backtrace that was
/// encoded, so one of any addresses is decoded here. What was looked up is kept.
enum Symbols {
    /// A function at an address. Where functions were inlined, an address has several.
    struct Symbol: Sendable {
        /// For people; empty if nobody knows it.
        var name = ""
        /// As the linker has it.
        var rawName = ""
        /// The last component of the source file's path.
        var file: String?
        var line = 0
        /// The library or program that it is in.
        var image = ""
        var isThunk = false

        /// `handle(_:) at Server.swift:42`.
        var text: String {
            if name.isEmpty { return image.isEmpty ? "somewhere" : "somewhere in \(image)" }
            guard let file else { return image.isEmpty ? name : "\(name) in \(image)" }
            return "\(name) at \(file):\(line)"
        }

        /// Whether it is of the modules of this package.
        var isOurs: Bool { Self.modules.contains { rawName.hasPrefix($0) } }

        /// Whether it is of the C library, libuv or the Swift runtime.
        var isSystems: Bool {
            if isThunk || name.isEmpty || Self.systems.contains(where: { image.hasPrefix($0) }) { return true }
            return Self.systemNames.contains { rawName.hasPrefix($0) } || name.hasPrefix("partial apply")
        }

        private static let modules = [
            "$s2UV", "$s7AsyncUV", "$s10Coroutines", "$s10UVPlatform", "cplatform_", "cruntime_", "clibuv_",
        ]
        private static let systems = [
            "libswift", "libc.", "libc-", "libuv", "libdispatch", "ld-", "libpthread", "libgcc",
        ]
        private static let systemNames = [
            "$ss", "$sSc", "swift_", "_swift_", "_ZN5swift", "_ZL", "uv_", "uv__", "__libc_start", "_start",
        ]
    }

    private static let known = Mutex<[UInt: [Symbol]]>([:])

    /// The functions at return addresses, innermost first.
    static func look(up addresses: [UInt]) -> [[Symbol]] {
        let unknown = known.withLock { known in addresses.filter { known[$0] == nil } }
        if !unknown.isEmpty {
            let found = find(Set(unknown))
            known.withLock { known in
                // Libraries may come and go; and the memory is not to grow for ever.
                if known.count > 10_000 { known = [:] }
                known.merge(found) { _, new in new }
            }
            return addresses.map { address in found[address] ?? known.withLock { $0[address] } ?? [Symbol()] }
        }
        return known.withLock { known in addresses.map { known[$0] ?? [Symbol()] } }
    }

    #if canImport(Runtime)
    private static func find(_ addresses: Set<UInt>) -> [UInt: [Symbol]] {
        let images = ImageMap.capture()
        var found: [UInt: [Symbol]] = [:]
        guard let trace = try? Backtrace(from: AddressDecoder(addresses)), let named = trace.symbolicated(with: images)
        else { return [:] }
        for frame in named.frames {
            guard let address = UInt(frame.captured.originalProgramCounter) else { continue }
            found[address, default: []] += frame.symbol.map { [Symbol($0)] } ?? []
        }
        return found
    }
    #else
    private static func find(_ addresses: Set<UInt>) -> [UInt: [Symbol]] { [:] }
    #endif
}

#if canImport(Runtime)
extension Symbols.Symbol {
    fileprivate init(_ symbol: SymbolicatedBacktrace.Symbol) {
        name = symbol.name
        rawName = symbol.rawName
        image = symbol.imageName
        isThunk = symbol.isSwiftThunk
        if let place = symbol.sourceLocation, !place.path.hasSuffix("<compiler-generated>"), place.line > 0 {
            file = FilePath(place.path).lastComponent?.string
            line = place.line
        }
    }
}

/// Shows return addresses to `Backtrace.init(from:)` in the runtime's compact format: a byte for words of 64 bits; for each address
/// an instruction "the absolute return address of eight bytes follows" and the address; and the end.
private struct AddressDecoder: Decoder {
    private let addresses: Set<UInt>
    var codingPath: [any CodingKey] { [] }
    var userInfo: [CodingUserInfoKey: Any] { [:] }

    init(_ addresses: Set<UInt>) { self.addresses = addresses }

    struct Unsupported: Error {}

    func container<Key: CodingKey>(keyedBy type: Key.Type) -> KeyedDecodingContainer<Key> {
        var bytes: [UInt8] = [2]
        for address in addresses {
            bytes.append(0x2F)
            for shift in stride(from: 56, through: 0, by: -8) {
                bytes.append(UInt8(truncatingIfNeeded: address >> UInt(shift)))
            }
        }
        bytes.append(0)
        return KeyedDecodingContainer(Fields(trace: bytes.base64))
    }

    func unkeyedContainer() throws -> any UnkeyedDecodingContainer { throw Unsupported() }
    func singleValueContainer() throws -> any SingleValueDecodingContainer { throw Unsupported() }

    private struct Fields<Key: CodingKey>: KeyedDecodingContainerProtocol {
        let trace: String
        var codingPath: [any CodingKey] { [] }
        var allKeys: [Key] { [] }

        func contains(_ key: Key) -> Bool { ["architecture", "backtrace"].contains(key.stringValue) }
        func decodeNil(forKey key: Key) -> Bool { !contains(key) }
        func decode(_: String.Type, forKey key: Key) throws -> String {
            guard contains(key) else { throw Unsupported() }
            return key.stringValue == "backtrace" ? trace : Self.architecture
        }
        func decode<Value: Decodable>(_: Value.Type, forKey key: Key) throws -> Value { throw Unsupported() }
        func nestedContainer<Nested: CodingKey>(
            keyedBy: Nested.Type, forKey key: Key
        ) throws -> KeyedDecodingContainer<Nested> { throw Unsupported() }
        func nestedUnkeyedContainer(forKey key: Key) throws -> any UnkeyedDecodingContainer { throw Unsupported() }
        func superDecoder() throws -> any Decoder { throw Unsupported() }
        func superDecoder(forKey key: Key) throws -> any Decoder { throw Unsupported() }

        #if arch(arm64)
        private static var architecture: String { "arm64" }
        #else
        private static var architecture: String { "x86_64" }
        #endif
    }
}

extension [UInt8] {
    fileprivate var base64: String {
        let digits = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)
        var text: [UInt8] = []
        for start in stride(from: 0, to: count, by: 3) {
            let part = self[start..<Swift.min(start + 3, count)]
            let word = part.enumerated().reduce(UInt32(0)) { $0 | UInt32($1.element) << (16 - 8 * UInt32($1.offset)) }
            for digit in 0..<4 {
                text.append(
                    digit <= part.count ? digits[Int(word >> (18 - 6 * UInt32(digit)) & 63)] : UInt8(ascii: "="))
            }
        }
        return String(decoding: text, as: UTF8.self)
    }
}
#endif
