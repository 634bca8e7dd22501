// KafkaJS, as its users write it, with the codecs that its documentation has one bring along.
'use strict';

const fs = require('fs');
const {Kafka, CompressionTypes, CompressionCodecs, Partitioners, logLevel} = require('kafkajs');
const SnappyCodec = require('kafkajs-snappy');
const lz4 = require('lz4-napi');
const {ZstdCodec} = require('zstd-codec');

const READ_MS_MAX = 60000;
const TYPES = {
  none: CompressionTypes.None,
  gzip: CompressionTypes.GZIP,
  snappy: CompressionTypes.Snappy,
  lz4: CompressionTypes.LZ4,
  zstd: CompressionTypes.ZSTD,
};

const zstd = new Promise((done) => ZstdCodec.run((library) => done(new library.Streaming())));
CompressionCodecs[CompressionTypes.Snappy] = SnappyCodec;
CompressionCodecs[CompressionTypes.LZ4] = () => ({
  compress: (encoder) => lz4.compressFrame(encoder.buffer),
  decompress: (buffer) => lz4.decompressFrame(buffer),
});
CompressionCodecs[CompressionTypes.ZSTD] = () => ({
  compress: async (encoder) => Buffer.from((await zstd).compress(encoder.buffer)),
  decompress: async (buffer) => Buffer.from((await zstd).decompress(buffer)),
});

const decoded = (text) => (text === null ? null : Buffer.from(text, 'base64'));
const encoded = (buffer) => (buffer === null ? null : Buffer.from(buffer).toString('base64'));

function messageOf(line) {
  const row = JSON.parse(line);
  const headers = {};
  for (const [name, value] of row.headers) {
    const all = name in headers ? [].concat(headers[name]) : [];
    headers[name] = all.length ? [...all, decoded(value)] : decoded(value);
  }
  const message = {key: decoded(row.key), value: decoded(row.value), headers};
  if (row.partition !== null) message.partition = row.partition;
  return message;
}

async function write(kafka, topic, compression) {
  const lines = fs.readFileSync(0, 'utf8').split('\n').filter((line) => line !== '');
  const producer = kafka.producer({createPartitioner: Partitioners.DefaultPartitioner});
  await producer.connect();
  await producer.send({topic, compression: TYPES[compression], messages: lines.map(messageOf)});
  await producer.disconnect();
}

async function read(kafka, topic, count) {
  const groupId = `kafkajs-${process.pid}-${process.hrtime.bigint()}`;
  const consumer = kafka.consumer({
    groupId, readUncommitted: false, maxBytesPerPartition: 8 << 20, sessionTimeout: 10000,
  });
  await consumer.connect();
  await consumer.subscribe({topics: [topic], fromBeginning: true});
  let seen = 0;
  await new Promise((done) => {
    setTimeout(done, READ_MS_MAX).unref();
    if (count === 0) done();
    consumer.run({
      autoCommit: false,
      eachMessage: async ({partition, message}) => {
        const headers = [];
        for (const [name, value] of Object.entries(message.headers || {})) {
          for (const one of [].concat(value)) headers.push([name, encoded(one)]);
        }
        const {key, value} = message;
        console.log(JSON.stringify({partition, key: encoded(key), value: encoded(value), headers}));
        seen += 1;
        if (seen === count) done();
      },
    });
  });
  await consumer.disconnect();
}

async function main() {
  const [command, bootstrap, topic, last] = process.argv.slice(2);
  const kafka = new Kafka({brokers: bootstrap.split(','), logLevel: logLevel.ERROR});
  if (command === 'write') await write(kafka, topic, last);
  else await read(kafka, topic, Number(last));
}

// An exit does not wait for what a pipe has not taken yet.
main().then(() => process.stdout.write('', () => process.exit(0)), (error) => {
  console.error(error);
  process.exit(1);
});
