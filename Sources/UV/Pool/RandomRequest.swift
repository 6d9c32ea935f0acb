internal import CLibuv

/// Asks the system for random bytes that are fit for keys.
public final class RandomRequest: PoolRequest {
    /// Gets random bytes, in the thread pool: a system that has just started may keep the caller waiting.
    ///
    /// - Parameter onDone: Called once on the loop's thread: with exactly `count` bytes, or with `.canceled`.
    /// - Throws: ``UVError`` with `.invalidArgument` for a negative count or more than 2 GiB - 1.
    ///
    /// Calls `uv_random`.
    @discardableResult
    public static func bytes(
        _ count: Int, on loop: Loop, onDone: @escaping (RandomRequest, Result<[UInt8], UVError>) -> Void
    ) throws(UVError) -> RandomRequest {
        guard (0...Int(Int32.max)).contains(count) else {
            throw UVError(.invalidArgument, in: "random", of: "\(count) bytes")
        }
        let request = RandomRequest(on: loop)
        var result: Result<[UInt8], UVError> = .failure(UVError(.canceled, in: "random"))
        try request.begin("random") {
            var bytes = [UInt8].unset(count: count)
            let status = unsafe bytes.withUnsafeMutableBytes {
                unsafe uv_random(nil, nil, $0.baseAddress, count, 0, nil)
            }
            result = status < 0 ? .failure(UVError(.init(rawValue: status), in: "random")) : .success(bytes)
        } finish: { [unowned request] _ in
            onDone(request, result)
        }
        return request
    }
}
