/// The application's model: the main actor's, as that of most applications is.
@MainActor final class Ledger {
    private(set) var balance = 0
    private(set) var bookings = 0

    func book(_ line: String) -> Int {
        balance += Int(line) ?? 0
        bookings += 1
        return balance
    }
}
