// The rows of the table of files that Node makes: each line is nanoseconds and a name.
import { open, readFile } from "node:fs/promises";

const [big, small, block, blocks, count] = process.argv.slice(2).map((word, i) => (i < 2 ? word : Number(word)));
let state = 1;
const place = () => {
    state ^= state << 13; state ^= state >>> 17; state ^= state << 5;
    return (state >>> 0) % blocks;
};
async function measured(name, times, body) {
    const start = process.hrtime.bigint();
    await body();
    console.log(`${Number(process.hrtime.bigint() - start) / times} ${name}`);
}
async function reads(file, times) {
    const buffer = Buffer.alloc(block);
    for (let i = 0; i < times; i++) {
        const { bytesRead } = await file.read(buffer, 0, block, place() * block);
        if (bytesRead !== block) throw new Error("short read");
    }
}
const file = await open(big);
await reads(file, count / 4);
await measured("cached", count, () => reads(file, count));
for (const depth of [8, 64]) {
    await measured(`depth${depth}`, count, () =>
        Promise.all(Array.from({ length: depth }, () => reads(file, Math.floor(count / depth)))));
}
await measured("whole", count / 4, async () => {
    for (let i = 0; i < count / 4; i++) if ((await readFile(small)).length === 0) throw new Error("empty");
});
await file.close();
