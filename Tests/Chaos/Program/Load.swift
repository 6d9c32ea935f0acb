import CChaos
import SystemPackage
import UV

/// Very many of one thing at once, for `Scripts/soak`: each prints a line for each of three rounds, which have to be alike.
enum Load {
    static func run(_ kind: String, count: Int) throws {
        for round in 1...3 {
            let start = Loop.hrtime
            let done = kind == "timers" ? try timers(count) : try files(count)
            if done != count { fail("\(done) of \(count) \(kind)") }
            let time = Loop.hrtime - start
            let memory = try SystemInfo.residentMemory >> 20
            print(
                "\(kind), round \(round): \(count) in \(time.components.seconds * 1_000 + time.components.attoseconds / 1_000_000_000_000_000) ms,",
                "\(memory) MiB, \(chaos_descriptors()) descriptors")
            chaos_beat()
        }
    }

    private static func timers(_ count: Int) throws -> Int {
        let loop = try Loop()
        var dice = Dice(seed: 1)
        var done = 0
        for _ in 0..<count { try loop.schedule(after: .milliseconds(dice.number(0...1_000))) { done += 1 } }
        try loop.run()
        try loop.close()
        return done
    }

    private static func files(_ count: Int) throws -> Int {
        let folder = try temporaryFolder()
        defer { removeFolder(folder) }
        let loop = try Loop()
        let path = folder.appending("file")
        try FileRequest.start(.writeFile(path, [1, 2, 3], durably: false), on: loop) { _, _ in }
        try loop.run()
        var done = 0
        for number in 0..<count {
            if number % 2 == 0 {
                try FileRequest.start(.status(of: path), on: loop) { _, result in
                    if case .success = result { done += 1 }
                }
            } else {
                try FileRequest.start(.readFile(path), on: loop) { _, result in
                    if case .success([1, 2, 3]) = result { done += 1 }
                }
            }
        }
        try loop.run()
        try loop.close()
        return done
    }
}
