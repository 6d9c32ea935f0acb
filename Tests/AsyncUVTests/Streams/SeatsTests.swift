import TestSupport
import Testing

@testable import AsyncUV

@Suite struct SeatsTests {
    /// A server that has kept connections for a long time has given out many tickets.
    @Test func theOldestThatCanBeSparedIsFoundAtOnce() {
        var spares = Spares<String>(firstTicket: 1 << 40)
        let tickets = ["a", "b", "c"].map { spares.add($0) }
        let isThere = spares.remove(tickets[0])
        let oldest = spares.removeOldest()
        let left = [tickets[1], tickets[2]].map { spares.remove($0) }
        let nobody = spares.removeOldest()
        #expect(isThere && oldest == "b" && left == [false, true] && nobody == nil)
    }
}
