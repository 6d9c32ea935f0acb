import CChaos
import SystemPackage
import UV

/// A terminal, and a person who types and looks.
final class TerminalThing: Thing {
    private var end: StreamEnd!
    private let handle: TTYHandle
    private var person: CInt
    private let typed: Flow
    /// What the person has seen.
    private var printedName: CInt = -1
    private var place: UInt64 = 0

    init(_ round: CallbackRound) throws(UVError) {
        var (person, program): (CInt, CInt) = (-1, -1)
        if unsafe chaos_terminal(&person, &program) != 0 { throw UVError(.tooManyOpenFiles, in: "terminal") }
        self.person = person
        guard let printed = round.makeFlow(), let typed = round.makeFlow() else {
            chaos_close(person)
            chaos_close(program)
            throw CallbackRound.noNames
        }
        self.typed = typed
        printedName = CInt(printed.name)
        do throws(UVError) {
            handle = try TTYHandle(on: round.loop, FileDescriptor(rawValue: program))
            do throws(UVError) { try handle.setMode(.binary) } catch {
                handle.close()
                throw error
            }
        } catch {
            chaos_close(person)
            chaos_close(program)
            throw error
        }
        chaos_close(program)
        super.init(round, "terminal")
        end = StreamEnd(self, handle, writes: printed, reads: typed)
    }

    override func act(_ dice: inout Dice) {
        switch dice.number(0...9) {
        // A terminal that is closed has its echo again, also for what was typed just before.
        case 0...4 where handle.isClosing: break
        case 0...2 where person >= 0:
            typed.sent += UInt64(chaos_type(person, typed.name, typed.sent, dice.number(1...1_000)))
        case 3...4 where person >= 0:
            if unsafe chaos_take_printed(person, &printedName, &place) == -2 {
                fail("\(name): wrong bytes are printed")
            }
            if place > end.output.sent { fail("\(name): more is printed than was written") }
        case 5 where dice.oneIn(4): hangUp()
        case 6:
            attempt("size") { () throws(UVError) in _ = (try handle.size, handle.mode) }
            attempt("mode") { () throws(UVError) in try handle.setMode(.binary) }
        default: end.act(&dice)
        }
    }

    private func hangUp() {
        note("the person hangs up")
        // What was typed and not read is gone.
        typed.mayBeCut = true
        end.output.mayBeCut = true
        if person >= 0 { chaos_close(person) }
        person = -1
    }

    override func close() {
        end.close()
        hangUp()
    }
}
