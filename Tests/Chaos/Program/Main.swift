import CChaos
import Coroutines
import UV

/// Does random things with everything that a layer has, round after round, and checks what always has to hold.
@main struct Chaos {
    var layer = "callbacks"
    var seed = UInt64.random(in: 1..<1 << 48)
    var seconds = 10
    var rounds = Int.max
    var steps = 300
    /// Of a thousand system calls, how many fail.
    var faults = 20
    var patience: Int32 = 120
    /// See ``Load``.
    var load: String?
    var count = 100_000

    static func main() throws {
        let chaos = Chaos(arguments: Array(CommandLine.arguments.dropFirst()))
        chaos_forget_shim()
        chaos_watch(chaos.patience)
        if let load = chaos.load { try Load.run(load, count: chaos.count) } else { try chaos.run() }
    }

    private init(arguments: [String]) {
        var rest = arguments[...]
        while let name = rest.popFirst() {
            guard let value = rest.popFirst() else { fatalError("\(name) needs a value") }
            switch (name, UInt64(value)) {
            case ("--layer", _) where ["callbacks", "async"].contains(value): layer = value
            case ("--load", _) where ["timers", "files"].contains(value): load = value
            case ("--count", let number?): count = Int(number)
            case ("--seed", let number?): seed = number
            case ("--seconds", let number?): seconds = Int(number)
            case ("--rounds", let number?): rounds = Int(number)
            case ("--steps", let number?): steps = Int(number)
            case ("--faults", let number?): faults = Int(number)
            case ("--patience", let number?): patience = Int32(number)
            default: fatalError("what is \(name) \(value)?")
            }
        }
    }

    private func run() throws {
        print("layer \(layer), seed \(seed), \(chaos_has_faults() != 0 ? "with" : "without") the shim")
        let start = Loop.hrtime
        var next = seed
        var round = 0
        var tally = Tally()
        var descriptors: CInt?
        // The process keeps it.
        if layer == "async" { _ = GreenActor.shared.loop }
        while round < rounds, Loop.hrtime - start < .seconds(seconds) || rounds < Int.max {
            chaos_begin(next, layer == "async" ? 1 : 0)
            // Every other round has no faults: what is wrong there is easier to understand.
            let rate = next % 2 == 0 ? faults * [1, 5, 15][Int(next / 2 % 3)] : 0
            if layer == "async" {
                try AsyncRound.run(seed: next, steps: steps, faults: rate, &tally)
            } else {
                try CallbackRound.run(seed: next, steps: steps, faults: rate, &tally)
            }
            // The first round opens what the process keeps.
            let now = settledDescriptors(descriptors)
            if let descriptors, now > descriptors {
                chaos_list_descriptors()
                fail("\(now) descriptors are open after the round, and \(descriptors) were before it")
            }
            descriptors = now
            round += 1
            var dice = Dice(seed: next)
            next = dice.next() >> 16
        }
        print(
            "layer \(layer): \(round) rounds, \(tally.steps) steps, \(tally.ended) operations ended, \(chaos_fault_count()) calls harmed"
        )
        Book.printSuccesses()
    }

    /// Waits for threads that close their last ones.
    private func settledDescriptors(_ before: CInt?) -> CInt {
        var now = chaos_descriptors()
        var left = 200
        while let before, now > before, left > 0 {
            chaos_pause(10)
            now = chaos_descriptors()
            left -= 1
        }
        return now
    }
}

/// What all rounds have done.
struct Tally {
    var steps = 0
    var ended = 0
}
