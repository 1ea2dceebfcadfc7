module trueup.dev/bench/protocol

go 1.26.0
