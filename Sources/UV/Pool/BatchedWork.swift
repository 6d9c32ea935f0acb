internal import CLibuv
internal import Synchronization

/// Long work, done by a ``PoolRequest`` in batches: others get their turn at the pool's threads, progress can be told, and
/// a request can be canceled on the way.
protocol BatchedWork: AnyObject {
    associatedtype Progress

    /// What has been done so far.
    var progress: Progress { get }

    /// Goes on until the batch is over. Runs on a thread of the pool.
    ///
    /// - Returns: Whether there is more to do.
    func goOn(_ batch: inout Batch) throws(UVError) -> Bool

    /// Cleans up after an error or a cancellation. Runs on a thread of the pool.
    func giveUp()
}

/// How much may be done in one trip to the pool.
struct Batch {
    private let request: PoolRequest
    private let deadline = uv_hrtime() + 20_000_000
    private var entriesLeft = 256
    private var bytesLeft = 16 << 20

    init(of request: PoolRequest) { self.request = request }

    mutating func count(entries: Int = 0, bytes: Int = 0) {
        entriesLeft -= entries
        bytesLeft -= bytes
    }

    var isOver: Bool { entriesLeft <= 0 || bytesLeft <= 0 || isGivenUp || uv_hrtime() >= deadline }

    var isGivenUp: Bool { request.isGivenUp.load(ordering: .relaxed) }
}

extension PoolRequest {
    /// Gives long work to the pool.
    ///
    /// - Parameter onProgress: Called on the loop's thread after each batch but the last.
    /// - Parameter finish: Called once on the loop's thread.
    final func begin<Work: BatchedWork>(
        _ operation: StaticString, _ work: Work, onProgress: ((Work.Progress) -> Void)?,
        finish: @escaping (Result<Work.Progress, UVError>) -> Void
    ) throws(UVError) {
        batchesDone = batchesDone ?? 0
        var isMore: Result<Bool, UVError>?
        try begin(operation) { [unowned self] in
            isMore = Result { () throws(UVError) in try batch(operation, of: work) }
        } finish: { [unowned self] _ in
            switch isMore {
            case nil: finish(.failure(UVError(.canceled, in: operation.description)))
            case .failure(let error): finish(.failure(error))
            case .success(false): finish(.success(work.progress))
            case .success(true):
                batchesDone? += 1
                // Made before the next batch begins to change it.
                let progress = onProgress.map { ($0, work.progress) }
                do throws(UVError) {
                    try begin(operation, work, onProgress: onProgress, finish: finish)
                } catch {
                    work.giveUp()
                    return finish(.failure(error))
                }
                // None after a cancellation that came while a thread finished the batch.
                if let (onProgress, progress) = progress, !isGivenUp.load(ordering: .relaxed) { onProgress(progress) }
            }
        }
    }

    private final func batch(_ operation: StaticString, of work: some BatchedWork) throws(UVError) -> Bool {
        var batch = Batch(of: self)
        do throws(UVError) {
            // Canceled between two batches.
            if batch.isGivenUp { throw UVError(.canceled, in: operation.description) }
            let isMore = try work.goOn(&batch)
            if isMore, batch.isGivenUp { throw UVError(.canceled, in: operation.description) }
            return isMore
        } catch {
            work.giveUp()
            throw error
        }
    }
}
