import Foundation
import UV

/// A program whose one callback does not return before its input ends.
enum Stalling {
    static func run() throws {
        let loop = try Loop()
        let timer = try TimerHandle(on: loop)
        try timer.start(after: .zero, theCallbackThatHangs)
        try loop.run()
        // A second loop: what is wrong with the variable is said once.
        try Loop().close()
        try loop.close()
    }
}

@inline(never)
private func theCallbackThatHangs(_ timer: TimerHandle) {
    print("hanging")
    fflush(nil)
    var byte: UInt8 = 0
    // The watchdog's signal may end it early.
    while true {
        let count = unsafe read(0, &byte, 1)
        if count == 0 || count < 0 && errno != EINTR { break }
    }
    timer.close()
}
