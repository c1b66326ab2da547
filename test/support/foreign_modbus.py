# A Modbus TCP server by other hands: Debian's python3-pymodbus. Says "ready" when it listens.
# Every type in every word order, one after the other from address 0, in holding and in input registers; printed as JSON: [type, order, address, value].
import json
import sys

from pymodbus.constants import Endian
from pymodbus.datastore import ModbusSequentialDataBlock, ModbusServerContext, ModbusSlaveContext
from pymodbus.payload import BinaryPayloadBuilder
from pymodbus.server import StartTcpServer

port = int(sys.argv[1])
ORDERS = {"ABCD": (Endian.Big, Endian.Big), "CDAB": (Endian.Big, Endian.Little), "BADC": (Endian.Little, Endian.Big), "DCBA": (Endian.Little, Endian.Little)}
VALUES = {
    "int16": ("add_16bit_int", -12345),
    "uint16": ("add_16bit_uint", 54321),
    "int32": ("add_32bit_int", -123456789),
    "uint32": ("add_32bit_uint", 3123456789),
    "float32": ("add_32bit_float", 1052.37),
    "int64": ("add_64bit_int", -1234567890123),
    "uint64": ("add_64bit_uint", 1234567890123),
    "float64": ("add_64bit_float", 1052.3712345),
}
words, table = [], []
for name, (byteorder, wordorder) in ORDERS.items():
    for kind, (add, value) in VALUES.items():
        builder = BinaryPayloadBuilder(byteorder=byteorder, wordorder=wordorder)
        getattr(builder, add)(value)
        payload = b"".join(builder.build())
        table.append([kind, name, len(words), value])
        words += [int.from_bytes(payload[i : i + 2], "big") for i in range(0, len(payload), 2)]
# What pymodbus has no builder for, in plain words.
table.append(["bcd16", "ABCD", len(words), 1234])
words.append(0x1234)
table.append(["bcd32", "CDAB", len(words), 12345678])
words += [0x5678, 0x1234]
table.append(["sign_magnitude16", "ABCD", len(words), -16])
words.append(0x8010)
bits = [i % 3 == 0 for i in range(40)]

# zero_mode: address 0 on the wire is the first one.
store = ModbusSlaveContext(
    hr=ModbusSequentialDataBlock(0, words),
    ir=ModbusSequentialDataBlock(0, words),
    co=ModbusSequentialDataBlock(0, bits),
    di=ModbusSequentialDataBlock(0, bits),
    zero_mode=True,
)
print(json.dumps(table), flush=True)
StartTcpServer(context=ModbusServerContext(slaves=store, single=True), address=("127.0.0.1", port))
