//! Criterion with its throughputs as shares of what the machine could do at best, which is measured
//! first.

use std::time::{Duration, Instant};

use criterion::measurement::{Measurement, ValueFormatter, WallTime};
use criterion::{Criterion, Throughput};
use ops::SimdLevel;
use rayon::prelude::*;

/// Wall time; `Throughput::Elements` are floating-point operations, `Throughput::BytesDecimal`
/// bytes of memory.
pub struct ShareOfPeak {
    wall: WallTime,
    format: Format,
}

struct Format {
    /// Floating-point operations per second, in 10^9.
    gflops: f64,
    /// Bytes per second that a copy reads and writes, in 10^9.
    gigabytes: f64,
}

/// Few samples, as they are long compared with what disturbs them.
pub fn criterion() -> Criterion<ShareOfPeak> {
    let threads = rayon::current_num_threads();
    let level = SimdLevel::best();
    let format = Format {
        gflops: ops::peak_gflops(level, threads),
        gigabytes: copied_gigabytes(),
    };
    println!(
        "peak with {level} on {threads} threads: {:.1} GFLOP/s; copying: {:.1} GB/s\n\
         in brackets the share of it, which exceeds 100 % where data stays in the caches\n",
        format.gflops, format.gigabytes
    );
    Criterion::default()
        .without_plots()
        .sample_size(10)
        .warm_up_time(Duration::from_millis(200))
        .measurement_time(Duration::from_millis(800))
        .with_measurement(ShareOfPeak {
            wall: WallTime,
            format,
        })
        .configure_from_args()
}

/// What a copy reaches with arrays that no cache holds.
fn copied_gigabytes() -> f64 {
    const VALUES: usize = 1 << 26;
    const TRIES: usize = 5;
    let from = vec![1.0f32; VALUES];
    let mut to = vec![0.0f32; VALUES];
    let part = VALUES.div_ceil(rayon::current_num_threads());
    let mut attempt = || {
        let begin = Instant::now();
        to.par_chunks_mut(part)
            .zip(from.par_chunks(part))
            .for_each(|(to, from)| to.copy_from_slice(from));
        std::hint::black_box(&to);
        (2 * size_of_val(&from[..])) as f64 / begin.elapsed().as_secs_f64() / 1e9
    };
    (0..TRIES).map(|_| attempt()).fold(0.0, f64::max)
}

impl Measurement for ShareOfPeak {
    type Intermediate = Instant;
    type Value = Duration;

    fn start(&self) -> Instant {
        self.wall.start()
    }

    fn end(&self, begin: Instant) -> Duration {
        self.wall.end(begin)
    }

    fn add(&self, a: &Duration, b: &Duration) -> Duration {
        self.wall.add(a, b)
    }

    fn zero(&self) -> Duration {
        self.wall.zero()
    }

    fn to_f64(&self, value: &Duration) -> f64 {
        self.wall.to_f64(value)
    }

    fn formatter(&self) -> &dyn ValueFormatter {
        &self.format
    }
}

// Values are nanoseconds, as those of `WallTime`.
impl ValueFormatter for Format {
    fn format_throughput(&self, throughput: &Throughput, value: f64) -> String {
        let mut speed = [value];
        let unit = self.scale_throughputs(value, throughput, &mut speed);
        let peak = match throughput {
            Throughput::Elements(_) => self.gflops,
            _ => self.gigabytes,
        };
        format!("{:.1} {unit} ({:.0} %)", speed[0], 100.0 * speed[0] / peak)
    }

    fn scale_values(&self, typical: f64, values: &mut [f64]) -> &'static str {
        WallTime.formatter().scale_values(typical, values)
    }

    fn scale_throughputs(
        &self,
        typical: f64,
        throughput: &Throughput,
        values: &mut [f64],
    ) -> &'static str {
        let (amount, unit) = match *throughput {
            Throughput::Elements(operations) => (operations, "GFLOP/s"),
            Throughput::BytesDecimal(bytes) => (bytes, "GB/s"),
            _ => {
                return WallTime
                    .formatter()
                    .scale_throughputs(typical, throughput, values);
            }
        };
        // An amount per nanosecond is 10^9 of it per second.
        for value in values {
            *value = amount as f64 / *value;
        }
        unit
    }

    fn scale_for_machines(&self, values: &mut [f64]) -> &'static str {
        WallTime.formatter().scale_for_machines(values)
    }
}
