package kafka

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// findTopic makes sure that the topic exists and finds out how many bytes of
// records it takes at once.
func (s *Sink) findTopic(ctx context.Context, st *state) error {
	err := s.describe(ctx, st.client)
	if errors.Is(err, kerr.UnknownTopicOrPartition) {
		if s.Create == nil {
			return fmt.Errorf("the topic does not exist, and Create is not set: %w", err)
		}
		if err = s.create(ctx, st.client); err == nil {
			err = s.awaitTopic(ctx, st.client)
		}
	}
	if err != nil {
		return err
	}
	limit := s.MaxBytes
	if n := s.taken(ctx, st.client); n > 0 && (limit == 0 || n < limit) {
		limit = n
	}
	st.limit.Store(int32(limit))
	return nil
}

func (s *Sink) describe(ctx context.Context, client *kgo.Client) error {
	req := kmsg.NewPtrMetadataRequest()
	topic := kmsg.NewMetadataRequestTopic()
	topic.Topic = new(s.Topic)
	req.Topics = append(req.Topics, topic)
	resp, err := req.RequestWith(ctx, client)
	switch {
	case err != nil:
		return err
	case len(resp.Topics) != 1:
		return fmt.Errorf("brokers know of %d such topics", len(resp.Topics))
	}
	return kerr.ErrorForCode(resp.Topics[0].ErrorCode)
}

func (s *Sink) create(ctx context.Context, client *kgo.Client) error {
	req := kmsg.NewPtrCreateTopicsRequest()
	req.TimeoutMillis = 5000
	t := kmsg.NewCreateTopicsRequestTopic()
	t.Topic, t.NumPartitions, t.ReplicationFactor = s.Topic, -1, -1
	if s.Create.Partitions > 0 {
		t.NumPartitions = int32(s.Create.Partitions)
	}
	if s.Create.Replicas > 0 {
		t.ReplicationFactor = int16(s.Create.Replicas)
	}
	names := make([]string, 0, len(s.Create.Settings))
	for name := range s.Create.Settings {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		c := kmsg.NewCreateTopicsRequestTopicConfig()
		c.Name, c.Value = name, new(s.Create.Settings[name])
		t.Configs = append(t.Configs, c)
	}
	req.Topics = append(req.Topics, t)
	resp, err := req.RequestWith(ctx, client)
	switch {
	case err != nil:
		return fmt.Errorf("create: %w", err)
	case len(resp.Topics) != 1:
		return fmt.Errorf("create: brokers answer for %d topics", len(resp.Topics))
	}
	err = kerr.ErrorForCode(resp.Topics[0].ErrorCode)
	if err == nil || errors.Is(err, kerr.TopicAlreadyExists) {
		return nil
	}
	if m := resp.Topics[0].ErrorMessage; m != nil {
		return fmt.Errorf("create: %w: %s", err, *m)
	}
	return fmt.Errorf("create: %w", err)
}

// awaitTopic waits until the brokers know of a new topic.
func (s *Sink) awaitTopic(ctx context.Context, client *kgo.Client) error {
	for {
		err := s.describe(ctx, client)
		if err == nil || !kerr.IsRetriable(err) {
			return err
		}
		wait := time.NewTimer(50 * time.Millisecond)
		select {
		case <-wait.C:
		case <-ctx.Done():
			wait.Stop()
			return fmt.Errorf("the topic was made, but brokers do not know it yet: %w", context.Cause(ctx))
		}
	}
}

// taken asks for the topic's max.message.bytes. Not everyone may; then the
// client's default has to do.
func (s *Sink) taken(ctx context.Context, client *kgo.Client) int {
	req := kmsg.NewPtrDescribeConfigsRequest()
	r := kmsg.NewDescribeConfigsRequestResource()
	r.ResourceType, r.ResourceName = kmsg.ConfigResourceTypeTopic, s.Topic
	r.ConfigNames = []string{"max.message.bytes"}
	req.Resources = append(req.Resources, r)
	resp, err := req.RequestWith(ctx, client)
	if err != nil {
		return 0
	}
	for _, r := range resp.Resources {
		for _, c := range r.Configs {
			if c.Name != "max.message.bytes" || c.Value == nil {
				continue
			}
			if n, err := strconv.Atoi(*c.Value); err == nil && n >= minMaxBytes {
				return min(n, maxMaxBytes)
			}
		}
	}
	return 0
}
