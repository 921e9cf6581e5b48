-- SPDX-License-Identifier: MIT
-- Views over the lake of a fleet, for DuckDB. Before them:
--   SET VARIABLE lake = 's3://faults';     -- or a directory: what is below it is TABLE/date=…/hour=…/….parquet
--   .read views.sql
-- Columns of other versions of vmalocktop are taken by name; what one version lacks is null.

CREATE OR REPLACE VIEW lifecycles AS
SELECT * FROM read_parquet(getvariable('lake') || '/lifecycles/*/*/*.parquet', hive_partitioning = true, union_by_name = true);
CREATE OR REPLACE VIEW attempts AS
SELECT * FROM read_parquet(getvariable('lake') || '/attempts/*/*/*.parquet', hive_partitioning = true, union_by_name = true);
CREATE OR REPLACE VIEW waits AS
SELECT * FROM read_parquet(getvariable('lake') || '/waits/*/*/*.parquet', hive_partitioning = true, union_by_name = true);

-- One row a host and hour: how much of what was followed fell back, and what that cost.
CREATE OR REPLACE VIEW host_hours AS
SELECT date, hour, host, kernel, count(*) AS followed, count(*) FILTER (retries > 0) AS retried,
       count(*) FILTER (lost IS NOT NULL) AS incomplete,
       sum(mmap_lock_ns) / 1e6 AS mmap_lock_ms, quantile_cont(duration_ns, 0.99) / 1e6 AS p99_ms
FROM lifecycles GROUP BY ALL;

-- One row a kernel: what a new one is compared by.
CREATE OR REPLACE VIEW kernels AS
SELECT kernel, count(DISTINCT host) AS hosts, count(*) AS followed, count(*) FILTER (retries > 0) AS retried,
       sum(mmap_lock_ns) / 1e6 AS mmap_lock_ms, quantile_cont(duration_ns, 0.99) / 1e6 AS p99_ms
FROM lifecycles GROUP BY kernel;

-- Why faults gave up the VMA lock, and whether they had to.
CREATE OR REPLACE VIEW causes AS
SELECT kernel, cause, verdict, count(*) AS faults, count(DISTINCT host) AS hosts,
       sum(duration_ns) / 1e6 AS ms, quantile_cont(duration_ns, 0.99) / 1e6 AS p99_ms
FROM lifecycles WHERE cause IS NOT NULL GROUP BY ALL;

-- Containers, pods and units, worst first: cgroup_name is theirs over all hosts.
CREATE OR REPLACE VIEW workloads AS
SELECT coalesce(cgroup_name, cgroup_path, '(not known)') AS workload, count(DISTINCT host) AS hosts,
       count(*) FILTER (retries > 0) AS retried, sum(mmap_lock_ns) / 1e6 AS mmap_lock_ms, max(duration_ns) / 1e6 AS worst_ms
FROM lifecycles GROUP BY workload;

-- Hosts that stand out from those of the same kernel in the same hour: three times the median.
CREATE OR REPLACE VIEW outliers AS
SELECT h.*, h.mmap_lock_ms / nullif(m.median_ms, 0) AS times
FROM host_hours h JOIN (
  SELECT date, hour, kernel, median(mmap_lock_ms) AS median_ms FROM host_hours GROUP BY ALL
) m USING (date, hour, kernel)
WHERE h.mmap_lock_ms > 3 * m.median_ms;

-- What faults waited for, and which lock they held meanwhile.
CREATE OR REPLACE VIEW wait_kinds AS
SELECT kernel, kind, held, count(*) AS waits, sum(duration_ns) / 1e6 AS ms, quantile_cont(duration_ns, 0.99) / 1e6 AS p99_ms
FROM waits GROUP BY ALL;

-- How exactly releases are known, by kernel.
CREATE OR REPLACE VIEW releases AS
SELECT kernel, rule, count(*) AS attempts, quantile_cont(released_hi_ns - released_lo_ns, 0.99) AS p99_width_ns
FROM attempts WHERE lock = 'vma' GROUP BY ALL;
