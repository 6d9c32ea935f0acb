import AsyncUV
import UVMainExecutor

@main struct MainExecutorProbe {
    static func main() throws {
        try MainLoop.run {
            print("current:", EventLoop.current === MainLoop.loop && EventLoop.current != nil)
        }
    }
}
