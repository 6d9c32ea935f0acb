internal import AsyncUVHTTP
public import HTTPTypes

/// What tells one version of a file from another.
public struct Validators: Equatable, Sendable {
    /// Quoted, without commas in it.
    public let entityTag: String
    /// In seconds since the start of 1970.
    public let modified: Int64

    public init(entityTag: String, modified: Int64) {
        self.entityTag = entityTag
        self.modified = modified
    }

    /// What the conditions of a request come to.
    public enum Verdict: Equatable, Sendable {
        /// To be done; a range only if the client has the rest of this very version.
        case proceed(rangeIsWelcome: Bool)
        /// The client has it: 304.
        case notModified
        /// 412.
        case failed
    }

    /// Weighs the conditions of a GET or HEAD in the order of RFC 9110, section 13.2.2.
    public func verdict(on fields: HTTPFields) -> Verdict {
        if fields.contains(.ifMatch) {
            guard isAmong(fields[values: .ifMatch], weakly: false) else { return .failed }
        } else if let date = date(in: fields, .ifUnmodifiedSince), modified > date {
            return .failed
        }
        if fields.contains(.ifNoneMatch) {
            if isAmong(fields[values: .ifNoneMatch], weakly: true) { return .notModified }
        } else if let date = date(in: fields, .ifModifiedSince), modified <= date {
            return .notModified
        }
        guard let version = fields[.ifRange] else { return .proceed(rangeIsWelcome: true) }
        return .proceed(rangeIsWelcome: version == entityTag || HTTPDate.seconds(version) == modified)
    }

    private func isAmong(_ lists: [String], weakly: Bool) -> Bool {
        lists.flatMap { $0.split(separator: ",") }.contains { item in
            let tag = item.drop { $0 == " " || $0 == "\t" }.prefix { $0 != " " && $0 != "\t" }
            return tag == "*" || tag == entityTag || weakly && tag == "W/\(entityTag)"
        }
    }

    private func date(in fields: HTTPFields, _ name: HTTPField.Name) -> Int64? {
        let values = fields[values: name]
        return values.count == 1 ? HTTPDate.seconds(values[0]) : nil
    }
}
