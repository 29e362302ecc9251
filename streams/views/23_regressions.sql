-- One row per probe, model, scorer and kernel that does worse with the kernel by over half a point.
select * from probe_effects
where delta < -0.5
