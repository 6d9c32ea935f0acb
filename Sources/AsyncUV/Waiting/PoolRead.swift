internal import UV

/// A read in the thread pool that a task waits for: what ``Pending`` is for all other operations, without the closures.
final class PoolRead: PendingLink {
    private let file: FileCore
    @exclusivity(unchecked) private var reader = Suspension<[UInt8]>()
    @exclusivity(unchecked) private var request: FileRequest?

    init(_ file: FileCore) { self.file = file }

    /// Begins to read, for a task that is suspended.
    func begin(_ reader: Suspension<[UInt8]>, upTo limit: Int, at offset: Int64, on core: LoopCore) {
        unsafe self.reader = reader
        do {
            let descriptor = try file.enter("read")
            do {
                unsafe request = try FileRequest.read(
                    from: descriptor, upTo: limit, at: offset, on: core.loop, attachment: self, onDone: poolRead)
                core.pendings.insert(self)
            } catch {
                file.leave()
                throw error
            }
        } catch { resume(with: .failure((error as? UVError).map { file.named($0) } ?? error)) }
    }

    fileprivate func finish(_ result: Result<[UInt8], UVError>) {
        file.leave()
        unsafe request = nil
        unlink()
        switch result {
        case .success(let bytes): unsafe reader.resume(returning: bytes)
        case .failure(let error): resume(with: .failure(file.named(error)))
        }
    }

    /// The thread may go on; what it reads is dropped.
    override func give(up error: any Error) {
        try? unsafe request?.cancel()
        unlink()
        resume(with: .failure(error))
    }

    private func resume(with result: Result<[UInt8], any Error>) { unsafe reader.resume(with: result) }
}

private func poolRead(_ request: FileRequest, _ result: Result<[UInt8], UVError>) {
    (request.attachment as? PoolRead)?.finish(result)
}

extension File {
    func readInPool(upTo limit: Int, at offset: Int64) async throws -> [UInt8] {
        guard loop.hostsCurrentTask else {
            return try await loop.hop { try await self.readInPool(upTo: limit, at: offset) }
        }
        try checkCancellation()
        let core = loop.core.open(on: loop)
        if core.isEnding { throw loop.ended("read") }
        let read = PoolRead(self.core.open(on: loop))
        return try await Suspension.wait(cancelling: read, on: loop) {
            read.begin($0, upTo: limit, at: offset, on: core)
        }
    }
}
