import ExampleSupport

/// What the application shows. The main actor's, as in an application with windows.
@MainActor final class Screen {
    private(set) var updates = 0

    func show(average: Double, isOnLoop: Bool) {
        updates += 1
        show("update \(updates): \((average * 10).rounded() / 10) °C, measured on the loop: \(isOnLoop)")
    }

    func show(_ line: String) { printLine(line) }
}
