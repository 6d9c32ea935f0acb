internal import SystemPackage

/// A read, the most frequent request: what it needs is in fields of its own, not in closures.
final class ReadRequest: FileRequest {
    private let file: OpenFile
    private let limit: Int
    private let offset: Int64?
    private var onDone: Completion<[UInt8]>?
    /// Made and freed by the loop's thread where it is small: else threads would wait for each other's allocator.
    private var bytes: [UInt8]
    private var error: UVError?

    init(
        _ file: OpenFile, _ limit: Int, _ offset: Int64?, on loop: Loop, _ onDone: @escaping Completion<[UInt8]>
    ) {
        self.file = file
        self.limit = limit
        self.offset = offset
        self.onDone = onDone
        bytes = limit <= Self.small ? .unset(count: limit) : []
        super.init(on: loop)
    }

    private static let small = 16_384

    override var subjectOfRequest: String? { "of \(file.text)" }

    override func perform() {
        do throws(UVError) {
            if limit <= Self.small {
                let count = try Files.read(into: &bytes, from: 0, of: file, at: offset)
                bytes.removeLast(limit - count)
            } else {
                bytes = try Files.read(from: file, upTo: limit, at: offset)
            }
        } catch {
            if error.code == .resourceTemporarilyUnavailable, offset == nil {
                wait = .ready(file.descriptor, .readable)
            } else {
                self.error = error
            }
        }
    }

    override func conclude(wasCanceled: Bool) {
        guard let call = onDone.take() else { return }
        let error = wasCanceled ? UVError(.canceled, in: "read") : error
        if let error { return call(self, .failure(error)) }
        var result: [UInt8] = []
        swap(&result, &bytes)
        call(self, .success(result))
    }
}
