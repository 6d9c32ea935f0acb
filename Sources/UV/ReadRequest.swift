internal import SystemPackage

/// A read, the most frequent request: what it needs is in fields of its own, not in closures.
final class ReadRequest: FileRequest {
    private let file: FileDescriptor
    private let limit: Int
    private let offset: Int64?
    private var onDone: Completion<[UInt8]>?
    @exclusivity(unchecked) private var result: Result<[UInt8], UVError>?

    init(
        _ file: FileDescriptor, _ limit: Int, _ offset: Int64?, on loop: Loop, _ onDone: @escaping Completion<[UInt8]>
    ) {
        self.file = file
        self.limit = limit
        self.offset = offset
        self.onDone = onDone
        super.init(on: loop)
    }

    override func perform() {
        do throws(UVError) {
            unsafe result = .success(try Files.read(from: file, upTo: limit, at: offset))
        } catch { unsafe result = .failure(error) }
    }

    override func conclude(wasCanceled: Bool) {
        let call = onDone.take()
        let result = unsafe result.take()
        call?(self, result ?? .failure(UVError(.canceled, in: "read")))
    }
}
