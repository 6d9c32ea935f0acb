import AsyncUV
import Coroutines
import ExampleSupport
import Synchronization

struct CoroutinesStep: Step {
    let title = "Coroutines"
    let sentence = "Python's three ways: a function that yields, functions that switch, tasks that give way."

    func run(on stage: Stage) throws {
        try generator(stage)
        try greenlets(stage)
        try greenTasks(stage)
    }

    private func generator(_ stage: Stage) throws {
        let consumer = Generator<String, Int> { yield in
            var eaten = 0
            while true {
                let baozi = try await yield(eaten)
                eaten += 1
                stage.line("a consumer eats the \(baozi) baozi")
            }
        }
        _ = try consumer.next()
        for baozi in ["first", "second"] { _ = try consumer.send(baozi) }
    }

    private func greenlets(_ stage: Stage) throws {
        let numbers = Mutex<[Int]>([])
        @Sendable func add(_ number: Int) { numbers.withLock { $0.append(number) } }
        try EventLoop.run { _ in
            try await Greenlet<Void>.run { main in
                let first = Greenlet(parent: main), second = Greenlet(parent: main)
                first.body {
                    add(12)
                    try await first.switch(to: second)
                    add(34)
                    try await first.switch(to: second)
                }
                second.body {
                    add(56)
                    try await second.switch(to: first)
                    add(78)
                }
                try await main.switch(to: first)
            }
        }
        let order = numbers.withLock { $0 }
        guard order == [12, 56, 34, 78] else { throw Surprise("two greenlets switched in the order \(order)") }
        stage.line("two greenlets print \(order.map(String.init).joined(separator: ", "))")
    }

    private func greenTasks(_ stage: Stage) throws {
        let number = 10_000
        let (sum, took) = try EventLoop.run { loop in
            let started = loop.clock.now
            let tasks = (0..<number).map { index in
                Green.spawn {
                    try await Green.sleep(.milliseconds(100))
                    return index
                }
            }
            var sum = 0
            for result in try await Green.joinAll(tasks) { sum += try result?.get() ?? 0 }
            return (sum, loop.clock.now - started)
        }
        guard sum == number * (number - 1) / 2 else { throw Surprise("a green task was lost") }
        stage.success("\(number.grouped) green tasks slept 100 ms, all of them in \(took.text)")
    }
}
