internal import CLibuv
internal import CPlatform
package import SystemPackage
internal import UVPlatform

/// An operation on files: what it is called, and what a thread of the pool does. Both layers run the same ones:
///
///     try FileRequest.start(.rename(path, to: new), on: loop) { request, result in … }
///
/// What cannot be right is thrown when it is started: an empty path (`.noSuchFileOrDirectory`), a negative offset, size or count
/// (`.invalidArgument`). All other errors come with the result. They name the path or descriptor.
public struct FileOperation<Value>: Sendable {
    /// What a thread does: its result, or `nil` when the request must wait, with ``PoolRequest/wait`` set. It is called again then.
    typealias Work = (PoolRequest?) throws(UVError) -> Value?

    /// For errors.
    package let name: StaticString
    /// What is wrong with it from the start.
    private(set) var fault: UVError?
    private(set) var subject: FilePath?
    /// The first path that it is about, for reports.
    private(set) var path: FilePath?
    private let prepare: @Sendable (_ subject: FilePath?) -> Work

    /// - Parameter prepare: Makes the work, with the state that it keeps while it waits.
    init(_ name: StaticString, _ fault: UVError? = nil, prepare: @escaping @Sendable (_ subject: FilePath?) -> Work) {
        self.name = name
        self.fault = fault
        self.prepare = prepare
    }

    /// An operation on paths.
    init(_ name: StaticString, _ paths: FilePath..., work: @escaping @Sendable () throws(UVError) -> Value) {
        self.init(name, Self.fault(name, paths)) { _ in { (_: PoolRequest?) throws(UVError) in try work() } }
        path = paths.first
    }

    /// An operation on an open file.
    init(
        _ name: StaticString, on file: FileDescriptor, _ numbers: KeyValuePairs<StaticString, Int64> = [:],
        work: @escaping @Sendable (OpenFile) throws(UVError) -> Value
    ) {
        self.init(name, Self.fault(name, [], numbers)) { subject in
            let file = OpenFile(file, subject)
            return { (_: PoolRequest?) throws(UVError) in try work(file) }
        }
    }

    /// - Parameter numbers: Those that must not be negative, by what they are.
    static func fault(
        _ name: StaticString, _ paths: [FilePath], _ numbers: KeyValuePairs<StaticString, Int64> = [:]
    ) -> UVError? {
        if paths.contains(where: \.isEmpty) {
            return UVError(.noSuchFileOrDirectory, in: name.description, of: "an empty path")
        }
        let negative = numbers.first { $0.value < 0 }
        return negative.map {
            UVError(.invalidArgument, in: name.description, of: "\($0.key) \($0.value)").naming(paths.first)
        }
    }

    /// The same operation, whose errors name a path instead of the descriptor's number.
    package func named(_ path: FilePath) -> Self {
        var operation = self
        operation.subject = path
        // A number that cannot be. An empty path names itself.
        if let fault, fault.code == .invalidArgument { operation.fault = fault.naming(path) }
        return operation
    }

    func work() -> Work { prepare(subject) }

    /// Does it on the calling thread, which may block.
    func run() throws(UVError) -> Value {
        if let fault { throw fault }
        guard let value = try work()(nil) else { throw UVError(.resourceTemporarilyUnavailable, in: name.description) }
        return value
    }
}

/// An open file and what errors call it.
struct OpenFile {
    let descriptor: FileDescriptor
    private let path: FilePath?

    init(_ descriptor: FileDescriptor, _ path: FilePath? = nil) {
        self.descriptor = descriptor
        self.path = path
    }

    var rawValue: CInt { descriptor.rawValue }
    var text: String { path?.string ?? "descriptor \(rawValue)" }
}
