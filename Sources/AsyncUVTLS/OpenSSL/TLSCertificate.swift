public import AsyncUV
internal import CTLS

/// A certificate (X.509).
@safe
public final class TLSCertificate: Sendable {
    // OpenSSL never changes it.
    nonisolated(unsafe) private let raw: OpaquePointer

    /// Takes it over.
    init?(_ raw: OpaquePointer?) {
        guard let raw = unsafe raw else { return nil }
        unsafe self.raw = raw
    }

    deinit { unsafe ctls_certificate_free(raw) }

    /// Whose it is: `C = DE, CN = example.com`.
    public var subject: String { name(0) }

    /// Who has signed it.
    public var issuer: String { name(1) }

    /// The host names and IP addresses that it is for.
    public var names: [String] {
        var all: [String] = []
        while let name = alternative(all.count) { all.append(name) }
        return all
    }

    /// From when on it is valid.
    public var notBefore: FileTime { times.0 }

    /// Until when it is valid.
    public var notAfter: FileTime { times.1 }

    /// Its bytes (DER), for fingerprints and other libraries.
    public var der: [UInt8] {
        let count = unsafe ctls_certificate_der(raw, nil, 0)
        return unsafe [UInt8](unsafeUninitializedCapacity: count) { buffer, filled in
            unsafe filled = min(ctls_certificate_der(raw, buffer.baseAddress, count), count)
        }
    }

    /// Whether it is for a host: a name or an IP address.
    public func isValid(for host: String) -> Bool {
        // C would look at what is before a NUL only.
        if host.utf8.contains(0) { return false }
        return unsafe ctls_certificate_is_for(raw, host)
    }

    private var times: (FileTime, FileTime) {
        var first: Int64 = 0
        var last: Int64 = 0
        _ = unsafe ctls_certificate_times(raw, &first, &last)
        return (FileTime(seconds: first), FileTime(seconds: last))
    }

    private func name(_ which: CInt) -> String {
        unsafe text { unsafe Int(ctls_certificate_name(raw, which, $0, $1)) } ?? ""
    }

    private func alternative(_ index: Int) -> String? {
        unsafe text { unsafe Int(ctls_certificate_alternative(raw, CInt(index), $0, $1)) }
    }

    /// A text of any length: the closure says how long it is.
    private func text(_ fill: (UnsafeMutablePointer<CChar>?, Int) -> Int) -> String? {
        let count = fill(nil, 0)
        if count < 0 { return nil }
        var bytes = [CChar](repeating: 0, count: count + 1)
        _ = unsafe fill(&bytes, bytes.count)
        return String(decoding: bytes.prefix(count).map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }
}

extension TLSCertificate: Hashable {
    public static func == (one: TLSCertificate, other: TLSCertificate) -> Bool { one === other || one.der == other.der }

    public func hash(into hasher: inout Hasher) { hasher.combine(der) }
}

extension TLSCertificate: CustomStringConvertible {
    /// For people: `certificate of CN = example.com`.
    public var description: String { "certificate of \(subject)" }
}
