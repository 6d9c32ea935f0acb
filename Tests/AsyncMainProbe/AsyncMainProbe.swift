import AsyncUV
import UVAsyncMain

@main struct AsyncMainProbe {
    static func main() async throws {
        print("current:", EventLoop.current === MainLoop.loop && EventLoop.current != nil)
    }
}
