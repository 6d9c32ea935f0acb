#if !(Observability && ServiceLifecycle)
import ExampleSupport
import Foundation

/// What is built without the traits that the service needs.
@main struct Service {
    static func main() {
        printProblem("Build the service with its traits: swift run --traits Observability,ServiceLifecycle service")
        exit(69)
    }
}
#endif
