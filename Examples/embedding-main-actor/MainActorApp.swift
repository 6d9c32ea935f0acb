import AsyncUV
import ExampleSupport

/// An ordinary async program: `main` and what it shows belong to the main actor. Its IO is on a loop in the background,
/// which gives the main actor results only.
@main struct MainActorApp {
    static func main() async throws {
        let screen = Screen()
        let loop = EventLoop.shared
        let thermometer = try await Thermometer.start(on: loop)

        // A task on the loop: each read, each line costs no change of threads. The main actor gets one number in ten.
        let watching = loop.spawn {
            let connection = try await TCPConnection.connect(to: thermometer.address)
            var readings: [Double] = []
            for try await line in connection.lines() {
                guard let reading = Double(line) else { continue }
                readings.append(reading)
                guard readings.count == 10 else { continue }
                await screen.show(average: readings.reduce(0, +) / 10, isOnLoop: loop.isCurrent)
                readings = []
            }
        }
        try await watching.value
        try await thermometer.stop()

        // Straight from the main actor it works, too: each call goes to the loop and comes back.
        do { _ = try await TCPConnection.connect(to: thermometer.address) } catch {
            screen.show("the thermometer is gone: \(error)")
        }
        screen.show("\(count(screen.updates, "update")) of the screen, all on the main actor: \(!loop.isCurrent)")
    }
}
