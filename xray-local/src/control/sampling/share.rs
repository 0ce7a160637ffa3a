//! Split of a reservoir among clients.
//!
//! Whole numbers only, and nothing random: equal reports get equal shares.

/// Splits `total` among clients by what each would use: no client gets more than that while another lacks, and what is
/// left over when all have enough is split evenly. The sum is `total`, unless there is no client.
pub(super) fn split(total: u64, demands: &[u64]) -> Vec<u64> {
    let mut shares = fill(total, demands);
    let left = total - shares.iter().sum::<u64>();
    let count = shares.len() as u64;
    for (index, share) in shares.iter_mut().enumerate() {
        *share += left / count + u64::from((index as u64) < left % count);
    }
    shares
}

/// Fills demands from the smallest up, each with at most an even part of what is left.
fn fill(total: u64, demands: &[u64]) -> Vec<u64> {
    let mut order: Vec<usize> = (0..demands.len()).collect();
    order.sort_by_key(|index| (demands[*index], *index));
    let mut shares = vec![0; demands.len()];
    let mut left = total;
    for (done, index) in order.into_iter().enumerate() {
        let waiting = (demands.len() - done) as u64;
        shares[index] = demands[index].min(left.div_ceil(waiting));
        left -= shares[index];
    }
    shares
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn small_demands_are_met_and_large_ones_share_the_rest() {
        for (total, demands, expected) in [
            (10, vec![], vec![]),
            (10, vec![3], vec![10]),
            (10, vec![100, 100], vec![5, 5]),
            (10, vec![1, 100], vec![1, 9]),
            (10, vec![100, 1, 100], vec![5, 1, 4]),
            (2, vec![5, 5, 5], vec![1, 1, 0]),
            (9, vec![1, 1], vec![5, 4]),
            (0, vec![1, 1], vec![0, 0]),
        ] {
            let shares = split(total, &demands);
            assert_eq!(shares.iter().sum::<u64>(), if demands.is_empty() { 0 } else { total });
            assert_eq!(shares, expected, "{total} {demands:?}");
        }
    }
}
