"""All faults, in the order of the table."""

from tests.faults.rows import answers, bootstrapping, connections, disk, loads, network, process

FAULTS = (
    *connections.FAULTS,
    *answers.FAULTS,
    *network.FAULTS,
    *bootstrapping.FAULTS,
    *process.FAULTS,
    *disk.FAULTS,
    *loads.FAULTS,
)
