internal import UV

/// A read in the thread pool: what `perform` does for all other operations, without the closures.
final class PoolRead: Wait<[UInt8]> {
    private let file: FileCore
    private var request: FileRequest?

    init(_ file: FileCore) {
        self.file = file
        super.init("read")
    }

    func begin(upTo limit: Int, at offset: Int64, on loop: Loop) throws {
        try file.enter("read")
        do {
            request = try FileRequest.read(
                from: file.descriptor, named: file.path, upTo: limit, at: offset, on: loop, attachment: self,
                onDone: poolRead)
        } catch {
            file.leave()
            throw error
        }
    }

    fileprivate func finished(_ result: Result<[UInt8], UVError>) {
        file.leave()
        request = nil
        finish(result.mapError { $0 })
    }

    /// The thread may go on; what it reads is dropped.
    override func stop() { try? request?.cancel() }
}

private func poolRead(_ request: FileRequest, _ result: Result<[UInt8], UVError>) {
    (request.attachment as? PoolRead)?.finished(result)
}

extension File {
    func readInPool(upTo limit: Int, at offset: Int64) async throws -> [UInt8] {
        guard loop.hostsCurrentTask else {
            return try await loop.hop { try await self.readInPool(upTo: limit, at: offset) }
        }
        try checkCancellation()
        return try await loop.value(of: beginRead(upTo: limit, at: offset))
    }

    func readInPool(upTo limit: Int, at offset: Int64, within timeout: Duration?) async throws -> [UInt8] {
        guard let timeout else { return try await readInPool(upTo: limit, at: offset) }
        guard loop.hostsCurrentTask else {
            return try await loop.hop { try await self.readInPool(upTo: limit, at: offset, within: timeout) }
        }
        try checkCancellation()
        let read = try beginRead(upTo: limit, at: offset)
        return try await loop.value(of: read, within: timeout) { [path] in UVError(.timedOut, in: "read", of: "\(path)")
        }
    }

    @inline(__always)
    private func beginRead(upTo limit: Int, at offset: Int64) throws -> PoolRead {
        let read = PoolRead(core.open(on: loop))
        try loop.start(read) { try read.begin(upTo: limit, at: offset, on: $0.loop) }
        return read
    }
}
