internal import SystemPackage
internal import UV

/// The part of a ``File`` that lives on its loop's thread: the owner of the descriptor.
///
/// A thread of the pool may still use the descriptor when the task that asked has been cancelled, or when the file is
/// closed: the system closes it after the last of them, else its number could be another file's by then.
final class FileCore {
    private let descriptor: FileDescriptor
    private let loop: Loop
    private let path: FilePath
    private var underWay = 0
    private(set) var isClosed = false
    private var isDone = false
    private var whenIdle: (() -> Void)?
    /// Whether the file system can say what it has in memory.
    private var mayBeCached = true

    init(_ descriptor: FileDescriptor, _ path: FilePath, on loop: Loop) {
        self.descriptor = descriptor
        self.path = path
        self.loop = loop
    }

    deinit {
        if !isDone { try? descriptor.close() }
    }

    /// The descriptor for a request, which must be followed by ``leave()``.
    func enter(_ operation: StaticString) throws -> FileDescriptor {
        if isClosed { throw UVError(.badFileDescriptor, in: "\(operation)", of: "\(path), which is closed") }
        underWay += 1
        return descriptor
    }

    func leave() {
        underWay -= 1
        if underWay == 0 { whenIdle.take()?() }
    }

    /// The error with the path instead of the descriptor's number.
    func named(_ error: UVError) -> UVError {
        // The first one only: descriptor 71, behind it, begins with descriptor 7.
        let number = "descriptor \(descriptor.rawValue)"
        let subject = error.subject?.replacing(number, with: path.string, maxReplacements: 1) ?? path.string
        return UVError(error.code, in: error.operation, of: subject)
    }

    // MARK: Reading from memory

    /// What the page cache has, or `nil`.
    func readCached(upTo limit: Int, at offset: Int64) throws -> [UInt8]? {
        guard mayBeCached, !isClosed else { return nil }
        switch try PageCache.read(from: descriptor, upTo: limit, at: offset, on: loop) {
        case .found(let bytes): return bytes
        case .notCached: return nil
        case .unsupported:
            mayBeCached = false
            return nil
        }
    }

    func readCached(into buffer: inout [UInt8], at offset: Int64) throws -> Int? {
        guard mayBeCached, !isClosed else { return nil }
        switch try PageCache.read(into: &buffer, from: descriptor, at: offset, on: loop) {
        case .found(let count): return count
        case .notCached: return nil
        case .unsupported:
            mayBeCached = false
            return nil
        }
    }

    // MARK: Closing

    /// Closes the descriptor when nobody uses it any more.
    func close(_ onDone: @escaping (UVError?) -> Void) {
        if isClosed { return onDone(nil) }
        isClosed = true
        let close = { [self] in
            isDone = true
            do {
                try FileRequest.close(descriptor, on: loop) { _, result in
                    if case .failure(let error) = result { onDone(self.named(error)) } else { onDone(nil) }
                }
            } catch { onDone(error as? UVError) }
        }
        if underWay == 0 { close() } else { whenIdle = close }
    }
}
