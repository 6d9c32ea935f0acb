internal import CTLS

/// The library that does the work: `OpenSSL 3.0.22 …`.
public enum OpenSSL {
    /// As the library says it.
    public static var version: String { unsafe String(cString: ctls_library_version()) }
}

func text(ofAlert number: UInt8) -> String { unsafe String(cString: ctls_alert_text(CInt(number))) }

func text(ofCheck number: Int) -> String { unsafe String(cString: ctls_check_text(CInt(clamping: number))) }

extension ctls_problem {
    /// The error that it tells of.
    var error: TLSError {
        let text = unsafe withUnsafeBytes(of: self.text) {
            unsafe String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self)
        }
        return .configuration(reason: text)
    }
}

extension [UInt8] {
    /// Makes an empty array's bytes by a function of C, which says how many there are.
    @inline(__always)
    mutating func fill(upTo room: Int, _ body: (UnsafeMutablePointer<UInt8>?) -> Int) {
        #if compiler(>=6.3)
        // The initializer below asks the runtime for the metadata of the storage each time: 900 instructions.
        reserveCapacity(room)
        append(addingCapacity: room) { span in
            unsafe span.withUnsafeMutableBufferPointer { unsafe $1 = body($0.baseAddress) }
        }
        #else
        self = unsafe Self(unsafeUninitializedCapacity: room) { unsafe $1 = body($0.baseAddress) }
        #endif
    }

    /// Lends the bytes to a function of C.
    func lend<Result>(_ body: (ctls_bytes) throws -> Result) rethrows -> Result {
        try unsafe withUnsafeBufferPointer { unsafe try body(ctls_bytes(bytes: $0.baseAddress, count: $0.count)) }
    }
}

extension Optional where Wrapped == String {
    /// Lends the text to a function of C.
    func lend<Result>(_ body: (UnsafePointer<CChar>?) throws -> Result) rethrows -> Result {
        if let text = self { return try unsafe text.withCString { unsafe try body($0) } }
        return try body(nil)
    }
}
