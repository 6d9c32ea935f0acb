import AsyncUV
import ExampleSupport

/// What is printed, with a line that names the file each time that another one has something to say.
actor Output: LoopActor {
    let loop: EventLoop
    private let hasHeaders: Bool
    private var last: FilePath?

    init(hasHeaders: Bool, on loop: EventLoop) {
        self.hasHeaders = hasHeaders
        self.loop = loop
    }

    func print(_ bytes: [UInt8], of path: FilePath) async throws {
        var text: [UInt8] = []
        if hasHeaders, last != path { text = Array("\(last == nil ? "" : "\n")==> \(path) <==\n".utf8) }
        last = path
        try printBytes(text + bytes)
    }
}
